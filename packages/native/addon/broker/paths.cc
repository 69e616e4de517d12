#include "paths.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <vector>

namespace pyisolate::broker {
namespace {

constexpr long kProcMagic = 0x9fa0;            // PROC_SUPER_MAGIC (statfs(2))
constexpr const char* kUnreachable = "/proc";  // no rule fits it

UniqueFd walk(int from, const std::string& path, bool follow, bool folder) {
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW) | (folder ? O_DIRECTORY : 0);
  how.resolve = RESOLVE_NO_MAGICLINKS;
  return UniqueFd(static_cast<int>(::syscall(SYS_openat2, from, path.c_str(), &how, sizeof how)));
}

// Without looking at the disk: for what isn't there.
std::string normal(const std::string& base, const std::string& path) {
  std::vector<std::string> parts;
  const std::string whole = path.starts_with('/') ? path : base + '/' + path;
  for (std::size_t at = 0; at < whole.size();) {
    const std::size_t end = std::min(whole.find('/', at), whole.size());
    const std::string part = whole.substr(at, end - at);
    if (part == ".." && !parts.empty()) parts.pop_back();
    if (!part.empty() && part != "." && part != "..") parts.push_back(part);
    at = end + 1;
  }
  std::string result;
  for (const std::string& part : parts) result += '/' + part;
  return result;
}

// Where a walk starts: a descriptor of ours, or -1 with errno; unused for an absolute path.
UniqueFd start(const Call& call, int folder, const std::string& path) {
  if (path.starts_with('/')) return {};
  return folder == AT_FDCWD ? call.client.working_directory() : call.client.descriptor(folder);
}

std::string on_host(const Call& call, const std::string& path) {
  return path.starts_with('/') ? call.table().to_host(path) : path;
}

}  // namespace

std::string magic_link(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

std::string path_of(const Call& call, int fd) {
  char text[PATH_MAX];
  const ssize_t size = ::readlink(magic_link(fd).c_str(), text, sizeof text);
  // Not a path: a socket, a pipe, a folder outside of our root, a file that has no name any more.
  if (size <= 0 || size == sizeof text || text[0] != '/') return kUnreachable;
  const std::string path(text, static_cast<std::size_t>(size));
  if (path.ends_with(" (deleted)")) return kUnreachable;
  struct statfs file_system;
  if (::fstatfs(fd, &file_system) != 0 || file_system.f_type == kProcMagic) return kUnreachable;
  return call.table().to_guest(path);
}

Found find(const Call& call, int folder, const std::string& path, bool follow) {
  Found found;
  if (path.empty()) return found.error = ENOENT, std::move(found);
  const UniqueFd from = start(call, folder, path);
  if (!path.starts_with('/') && !from) return found.error = EBADF, std::move(found);
  found.fd = walk(from.get(), on_host(call, path), follow, false);
  found.error = found.fd ? 0 : errno;
  if (found.fd) {
    found.path = path_of(call, found.fd.get());
  } else if (found.error == ENOENT) {
    // Perhaps the last part alone is missing; what its folder really is decides whether that may be told.
    const Entry entry = find_entry(call, folder, path);
    found.path = entry.error == 0 ? entry.path : normal(from ? path_of(call, from.get()) : "", path);
  } else {
    found.path = normal(from ? path_of(call, from.get()) : "", path);
  }
  return found;
}

Found find_descriptor(const Call& call, int number) {
  Found found;
  found.fd = number == AT_FDCWD ? call.client.working_directory() : call.client.descriptor(number);
  found.error = found.fd ? 0 : EBADF;
  if (found.fd) found.path = path_of(call, found.fd.get());
  return found;
}

Entry find_entry(const Call& call, int folder, const std::string& path) {
  Entry entry;
  std::size_t end = path.size();
  while (end > 1 && path[end - 1] == '/') --end;
  const std::size_t slash = path.rfind('/', end - 1);
  const std::size_t begin = slash == std::string::npos ? 0 : slash + 1;
  entry.name = path.substr(begin, end - begin);
  if (path.empty()) return entry.error = ENOENT, std::move(entry);
  if (entry.name.empty() || entry.name == "." || entry.name == "..") return entry.error = EBUSY, std::move(entry);
  const std::string above = begin == 0 ? "." : path.substr(0, begin);
  const UniqueFd from = start(call, folder, path);
  if (!path.starts_with('/') && !from) return entry.error = EBADF, std::move(entry);
  entry.folder = walk(from.get(), on_host(call, above), true, true);
  entry.error = entry.folder ? 0 : errno;
  if (entry.folder) entry.path = path_of(call, entry.folder.get()) + '/' + entry.name;
  return entry;
}

}  // namespace pyisolate::broker
