// fstat(2) by its own call. glibc makes it newfstatat(2) with an empty path, which a broker would have to look at
// though there is nothing to decide: every file that Python opens is asked for its size.
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef SYS_fstat
static_assert(sizeof(struct stat) == 144, "the kernel's own layout (asm/stat.h)");

extern "C" int fstat(int fd, struct stat* out) noexcept { return static_cast<int>(syscall(SYS_fstat, fd, out)); }
extern "C" int fstat64(int fd, struct stat64* out) noexcept { return static_cast<int>(syscall(SYS_fstat, fd, out)); }
#endif
