// Calls on files, made for the guest on what its path led to.
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "names.h"
#include "paths.h"

namespace pyisolate::broker {
namespace {

constexpr mode_t kPermissions = 0777;  // no set-id bits: what is made belongs to the supervisor's user
constexpr int kMostTries = 8;

bool may(const Call& call, const std::string& path, FileOp op) {
  return call.permits(call.table().file(path, op), op == kRead ? Operation::read : Operation::write, path);
}

bool may_know(const Call& call, const std::string& path) {
  return call.table().visible(path) || call.permits(call.table().file(path, kRead), Operation::read, path);
}

// Why something wasn't found may tell what there is: only where its existence may be known.
Answer not_found(const Call& call, const Found& found) {
  return Answer::fail(may_know(call, found.path) ? found.error : EACCES);
}

bool is_kind(int fd, mode_t kind, bool& is) {
  struct stat info;
  if (::fstat(fd, &info) != 0) return false;
  is = (info.st_mode & S_IFMT) == kind;
  return true;
}

// The object itself once more, with rights. A pipe or device without a peer would hold the broker up.
Answer reopen(const Found& found, std::uint64_t flags) {
  const bool closes = (flags & O_CLOEXEC) != 0;
  struct stat info;
  if (::fstat(found.fd.get(), &info) != 0) return Answer::fail(errno);
  if (S_ISLNK(info.st_mode)) return Answer::fail(ELOOP);
  const bool waits = !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode) && (flags & O_NONBLOCK) == 0;
  const int open_flags =
      static_cast<int>(flags & ~static_cast<std::uint64_t>(O_CREAT | O_EXCL | O_NOFOLLOW)) | O_CLOEXEC | O_NOCTTY;
  UniqueFd fd(::open(magic_link(found.fd.get()).c_str(), open_flags | (waits ? O_NONBLOCK : 0)));
  if (!fd) return Answer::fail(errno);
  if (waits) ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) & ~O_NONBLOCK);
  Answer answer = Answer::give(std::move(fd), closes);
  answer.alone = S_ISFIFO(info.st_mode);
  return answer;
}

// 0, or the errno of what forbids it: a rule (EACCES) or a contract (EPERM).
int why_not_open(const Call& call, const std::string& path, std::uint64_t flags, bool makes) {
  const auto access = flags & O_ACCMODE;
  const bool writes = makes || access != O_RDONLY || (flags & O_TRUNC) != 0;
  if ((access != O_WRONLY && !may(call, path, kRead)) || (writes && !may(call, path, kWrite))) return EACCES;
  ContractTask facts{};
  facts.path_bits = call.table().contract_bits(path);
  facts.writes = writes ? 1 : 0;
  return call.upholds(Hook::open, writes ? Operation::write : Operation::read, path, facts) ? 0 : EPERM;
}

Answer make(const Call& call, const Request& request, bool& again) {
  const Entry entry = find_entry(call, request.folder, request.path);
  if (entry.error != 0) return Answer::fail(entry.error);
  if (const int error = why_not_open(call, entry.path, request.flags, true); error != 0) return Answer::fail(error);
  const int flags = static_cast<int>(request.flags) | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  UniqueFd fd(::openat(entry.folder.get(), entry.name.c_str(), flags, request.mode & kPermissions));
  // Somebody else made it, or it is a link to nowhere: look again.
  again = !fd && errno == EEXIST && (request.flags & O_EXCL) == 0;
  if (!fd) return Answer::fail(errno);
  return Answer::give(std::move(fd), (request.flags & O_CLOEXEC) != 0);
}

Answer open(const Call& call, const Request& request) {
  const std::uint64_t flags = request.flags;
  const bool makes = (flags & O_CREAT) != 0;
  const bool only_new = makes && (flags & O_EXCL) != 0;
  if ((flags & O_TMPFILE) == O_TMPFILE) return Answer::fail(EOPNOTSUPP);  // tempfile falls back to a name
  for (int i = 0; i < kMostTries; ++i) {
    Found found = find(call, request.folder, request.path, !only_new && (flags & O_NOFOLLOW) == 0);
    if (found.error == ENOENT && makes) {
      bool again = false;
      Answer answer = make(call, request, again);
      if (!again) return answer;
      continue;
    }
    if (found.error != 0) return not_found(call, found);
    if (only_new) return Answer::fail(may_know(call, found.path) ? EEXIST : EACCES);
    if ((flags & O_PATH) != 0) {
      if (!may_know(call, found.path)) return Answer::fail(EACCES);
      return Answer::give(std::move(found.fd), (flags & O_CLOEXEC) != 0);
    }
    if (const int error = why_not_open(call, found.path, flags, false); error != 0) return Answer::fail(error);
    return reopen(found, flags);
  }
  return Answer::fail(ELOOP);
}

// What most calls start with: the object, and the right to know of it.
Found known(const Call& call, const Request& request) {
  if (request.by_fd) return find_descriptor(call, request.folder);
  Found found = find(call, request.folder, request.path, (request.flags & AT_SYMLINK_NOFOLLOW) == 0);
  if (found.error != 0)
    found.error = not_found(call, found).error;
  else if (!may_know(call, found.path))
    found.error = EACCES;
  return found;
}

template <typename Fill>
Answer report(const Call& call, const Request& request, Fill&& fill) {
  const Found found = known(call, request);
  if (found.error != 0) return Answer::fail(found.error);
  alignas(8) char buffer[512] = {};
  const int size = fill(found.fd.get(), buffer);
  if (size < 0) return Answer::fail(errno);
  return call.memory.write(request.out, buffer, static_cast<std::size_t>(size)) ? Answer{} : Answer::fail(EFAULT);
}

Answer access(const Call& call, const Request& request) {
  Request plain = request;
  plain.flags &= AT_SYMLINK_NOFOLLOW;
  const Found found = known(call, plain);
  if (found.error != 0) return Answer::fail(found.error);
  const Table& table = call.table();
  bool folder = false;
  if (!is_kind(found.fd.get(), S_IFDIR, folder)) return Answer::fail(errno);
  const bool ok = table.log_only() || (((request.mode & R_OK) == 0 || table.file(found.path, kRead).allowed) &&
                                       ((request.mode & W_OK) == 0 || table.file(found.path, kWrite).allowed) &&
                                       ((request.mode & X_OK) == 0 || folder));
  if (!ok) return Answer::fail(EACCES);
  const int mode = static_cast<int>(request.mode) & (R_OK | W_OK | X_OK);
  return ::faccessat(AT_FDCWD, magic_link(found.fd.get()).c_str(), mode, 0) == 0 ? Answer{} : Answer::fail(errno);
}

Answer readlink(const Call& call, const Request& request) {
  Request plain = request;
  plain.flags = AT_SYMLINK_NOFOLLOW;
  const Found found = known(call, plain);
  if (found.error != 0) return Answer::fail(found.error);
  char target[PATH_MAX];
  const ssize_t size = ::readlinkat(found.fd.get(), "", target, std::min(sizeof target, request.room));
  if (size < 0) return Answer::fail(errno == ENOENT ? EINVAL : errno);
  return call.memory.write(request.out, target, static_cast<std::size_t>(size)) ? Answer::of(size)
                                                                                : Answer::fail(EFAULT);
}

Answer chdir(const Call& call, const Request& request) {
  Found found = known(call, request);
  if (found.error != 0) return Answer::fail(found.error);
  bool folder = false;
  if (!is_kind(found.fd.get(), S_IFDIR, folder)) return Answer::fail(errno);
  if (!folder) return Answer::fail(ENOTDIR);
  call.client.set_working_directory(std::move(found.fd));
  return {};
}

Answer getcwd(const Call& call, const Request& request) {
  const UniqueFd folder = call.client.working_directory();
  if (!folder) return Answer::fail(errno);
  std::string path = path_of(call, folder.get());
  if (path.empty()) path = "/";
  if (path == "/proc") return Answer::fail(ENOENT);  // gone, or out of sight
  if (path.size() + 1 > request.room) return Answer::fail(ERANGE);
  const auto size = path.size() + 1;
  return call.memory.write(request.out, path.c_str(), size) ? Answer::of(static_cast<std::int64_t>(size))
                                                            : Answer::fail(EFAULT);
}

Answer truncate(const Call& call, const Request& request) {
  const Found found = find(call, request.folder, request.path, true);
  if (found.error != 0) return not_found(call, found);
  if (!may(call, found.path, kWrite)) return Answer::fail(EACCES);
  const UniqueFd fd(::open(magic_link(found.fd.get()).c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info;
  if (!fd || ::fstat(fd.get(), &info) != 0) return Answer::fail(errno);
  // Longer it gets in the guest's own hands (ftruncate), where its limit of file sizes holds.
  if (static_cast<std::int64_t>(request.mode) > info.st_size) {
    call.client.reached(Client::Limit::file_size, EFBIG);
    return Answer::fail(EFBIG);
  }
  return ::ftruncate(fd.get(), static_cast<off_t>(request.mode)) == 0 ? Answer{} : Answer::fail(errno);
}

Answer change(const Call& call, const Request& request) {
  const Found found = request.by_fd ? find_descriptor(call, request.folder)
                                    : find(call, request.folder, request.path,
                                           request.kind == Kind::chmod || (request.flags & AT_SYMLINK_NOFOLLOW) == 0);
  if (found.error != 0) return request.by_fd ? Answer::fail(found.error) : not_found(call, found);
  if (!may(call, found.path, kWrite)) return Answer::fail(EACCES);
  const std::string link = magic_link(found.fd.get());
  const int done = request.kind == Kind::chmod
                       ? ::fchmodat(AT_FDCWD, link.c_str(), request.mode & kPermissions, 0)
                       : ::utimensat(AT_FDCWD, link.c_str(), request.has_times ? request.times : nullptr, 0);
  return done == 0 ? Answer{} : Answer::fail(errno);
}

}  // namespace

Answer make_file_call(const Call& call, const Request& request) {
  switch (request.kind) {
    case Kind::open: return open(call, request);
    case Kind::stat:
      return report(call, request, [](int fd, char* out) {
        return ::syscall(SYS_newfstatat, fd, "", out, AT_EMPTY_PATH) == 0 ? static_cast<int>(sizeof(struct stat)) : -1;
      });
    case Kind::statx:
      return report(call, request, [&](int fd, char* out) {
        const int flags = static_cast<int>(request.flags & AT_STATX_SYNC_TYPE) | AT_EMPTY_PATH;
        return ::syscall(SYS_statx, fd, "", flags, request.mode, out) == 0 ? static_cast<int>(sizeof(struct statx))
                                                                           : -1;
      });
    case Kind::statfs:
      return report(call, request, [](int fd, char* out) {
        return ::syscall(SYS_fstatfs, fd, out) == 0 ? static_cast<int>(sizeof(struct statfs)) : -1;
      });
    case Kind::access: return access(call, request);
    case Kind::readlink: return readlink(call, request);
    case Kind::chdir: return chdir(call, request);
    case Kind::getcwd: return getcwd(call, request);
    case Kind::truncate: return truncate(call, request);
    case Kind::chmod:
    case Kind::utimens: return change(call, request);
    default: return make_name_call(call, request);
  }
}

}  // namespace pyisolate::broker
