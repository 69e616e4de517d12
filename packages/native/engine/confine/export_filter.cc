#include "confine/export_filter.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace pyisolate {

std::vector<sock_filter> export_filter(scmp_filter_ctx context, const FilterRules& rules, std::string& problem) {
  if (rules.error() != 0) {
    problem = std::string("a rule for ") + rules.failed() + " was refused";
    return {};
  }
  const int file = static_cast<int>(syscall(SYS_memfd_create, "filter", 1u));
  std::vector<sock_filter> filter;
  if (file < 0 || seccomp_export_bpf(context, file) != 0) {
    problem = "the filter can't be exported";
  } else {
    const off_t size = lseek(file, 0, SEEK_END);
    filter.resize(size / sizeof(sock_filter));
    if (pread(file, filter.data(), size, 0) != size) filter.clear(), problem = "the filter can't be read";
  }
  if (file >= 0) close(file);
  return filter;
}

}  // namespace pyisolate
