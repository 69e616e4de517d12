// fstat(2) by its own call. glibc makes it newfstatat(2) with an empty path, which a broker would have to look at
// though there is nothing to decide: every file that Python opens is asked for its size.
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef SYS_fstat
// What the kernel writes must be what the caller has room for: asm/stat.h, and asm-generic/stat.h on arm64.
#if defined(__x86_64__)
static_assert(sizeof(struct stat) == 144, "the kernel's own layout");
#elif defined(__aarch64__)
static_assert(sizeof(struct stat) == 128, "the kernel's own layout");
#else
#error "compare struct stat with the kernel's (asm/stat.h) on this architecture"
#endif
static_assert(sizeof(struct stat64) == sizeof(struct stat));

extern "C" int fstat(int fd, struct stat* out) noexcept { return static_cast<int>(syscall(SYS_fstat, fd, out)); }
extern "C" int fstat64(int fd, struct stat64* out) noexcept { return static_cast<int>(syscall(SYS_fstat, fd, out)); }
#endif
