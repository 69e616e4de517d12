#include "guest_memory.h"

#include <limits.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace pyisolate::broker {
namespace {
constexpr std::size_t kPage = 4096;
}

int Memory::text(std::uint64_t from, std::string& to) {
  to.clear();
  char part[kPage];
  while (to.size() < PATH_MAX) {
    // Not across a page: what follows the text may not be mapped. Mostly short: a fraction of a page first.
    const std::size_t to_edge = kPage - from % kPage;
    const std::size_t bytes = std::min({to_edge, PATH_MAX - to.size(), to.empty() ? std::size_t{256} : kPage});
    if (!read(from, part, bytes)) return EFAULT;
    if (const void* end = std::memchr(part, 0, bytes); end != nullptr) {
      to.append(part, static_cast<std::size_t>(static_cast<const char*>(end) - part));
      return 0;
    }
    to.append(part, bytes);
    from += bytes;
  }
  return ENAMETOOLONG;
}

bool GuestMemory::read(std::uint64_t from, void* to, std::size_t bytes) {
  iovec local = {to, bytes};
  iovec remote = {reinterpret_cast<void*>(from), bytes};
  return bytes == 0 || process_vm_readv(thread_, &local, 1, &remote, 1, 0) == static_cast<ssize_t>(bytes);
}

bool GuestMemory::write(std::uint64_t to, const void* from, std::size_t bytes) {
  iovec local = {const_cast<void*>(from), bytes};
  iovec remote = {reinterpret_cast<void*>(to), bytes};
  return bytes == 0 || process_vm_writev(thread_, &local, 1, &remote, 1, 0) == static_cast<ssize_t>(bytes);
}

}  // namespace pyisolate::broker
