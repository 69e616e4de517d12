#include "request.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <netinet/in.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

namespace pyisolate::broker {
namespace {

constexpr std::size_t kMostPieces = 1024;  // UIO_MAXIOV

class Decoder {
 public:
  Decoder(const seccomp_data& call, Memory& memory, Request& request)
      : call_(call), memory_(memory), request_(request) {}

  int decode();

 private:
  std::uint64_t arg(unsigned at) const { return call_.args[at]; }
  int fd(unsigned at) const { return static_cast<int>(arg(at)); }

  int path(Kind kind, int folder, unsigned at) {
    request_.kind = kind;
    request_.folder = folder;
    return memory_.text(arg(at), request_.path);
  }
  // A path that may be left out for the descriptor itself.
  int path_or_fd(Kind kind, int folder, unsigned at, std::uint64_t flags) {
    request_.flags = flags;
    request_.folder = folder;
    request_.kind = kind;
    if (arg(at) == 0) return request_.by_fd = true, 0;
    const int error = path(kind, folder, at);
    request_.by_fd = error == 0 && request_.path.empty() && (flags & AT_EMPTY_PATH) != 0;
    return error;
  }
  int two_paths(Kind kind, int folder, unsigned at, int folder2, unsigned at2, std::uint64_t flags) {
    request_.flags = flags;
    request_.folder2 = folder2;
    const int error = path(kind, folder, at);
    return error != 0 ? error : memory_.text(arg(at2), request_.path2);
  }
  int out(int error, unsigned at, std::size_t room) {
    request_.out = arg(at);
    request_.room = room;
    return error;
  }
  int with(int error, std::uint64_t mode) {
    request_.mode = mode;
    return error;
  }
  int open(int folder, unsigned at, std::uint64_t flags, std::uint64_t mode) {
    request_.flags = flags & 0xffffffff;
    return with(path(Kind::open, folder, at), mode);
  }
  int utimens() {
    if (const int error = path_or_fd(Kind::utimens, fd(0), 1, arg(3)); error != 0) return error;
    request_.has_times = arg(2) != 0;
    return !request_.has_times || memory_.read(arg(2), request_.times, sizeof request_.times) ? 0 : EFAULT;
  }
  int socket() {
    request_.kind = Kind::socket;
    request_.fd = fd(0);
    request_.flags = arg(1) & 0xffffffff;
    request_.protocol = fd(2);
    return 0;
  }
  int peer(std::uint64_t from, std::uint64_t bytes) {
    if (bytes > sizeof request_.peer) return EINVAL;
    request_.peer_bytes = static_cast<socklen_t>(bytes);
    return memory_.read(from, &request_.peer, bytes) ? 0 : EFAULT;
  }
  int named(Kind kind) {
    request_.kind = kind;
    request_.fd = fd(0);
    return peer(arg(1), arg(2) & 0xffffffff);
  }
  int send_to();
  int send_message();

  const seccomp_data& call_;
  Memory& memory_;
  Request& request_;
};

int Decoder::send_to() {
  request_.kind = Kind::send;
  request_.fd = fd(0);
  request_.flags = arg(3) & 0xffffffff;
  request_.data.resize(std::min<std::uint64_t>(arg(2), kMostData));
  if (!memory_.read(arg(1), request_.data.data(), request_.data.size())) return EFAULT;
  return arg(4) == 0 ? 0 : peer(arg(4), arg(5) & 0xffffffff);
}

int Decoder::send_message() {
  request_.kind = Kind::send;
  request_.fd = fd(0);
  request_.flags = arg(2) & 0xffffffff;
  msghdr head;
  if (!memory_.read(arg(1), &head, sizeof head)) return EFAULT;
  // Descriptors, credentials and routes: nothing that goes to a socket of the supervisor's.
  if (head.msg_controllen != 0) return EPERM;
  if (head.msg_iovlen > kMostPieces) return EMSGSIZE;
  iovec pieces[kMostPieces];
  if (!memory_.read(reinterpret_cast<std::uint64_t>(head.msg_iov), pieces, head.msg_iovlen * sizeof(iovec)))
    return EFAULT;
  for (std::size_t i = 0; i < head.msg_iovlen && request_.data.size() < kMostData; ++i) {
    const std::size_t before = request_.data.size();
    request_.data.resize(before + std::min(pieces[i].iov_len, kMostData - before));
    if (!memory_.read(reinterpret_cast<std::uint64_t>(pieces[i].iov_base), request_.data.data() + before,
                      request_.data.size() - before))
      return EFAULT;
  }
  if (head.msg_name == nullptr) return 0;
  return peer(reinterpret_cast<std::uint64_t>(head.msg_name), head.msg_namelen);
}

int Decoder::decode() {
  request_.number = call_.nr;
  constexpr std::size_t kStat = sizeof(struct stat);
  switch (call_.nr) {
    case SYS_openat: return open(fd(0), 1, arg(2), arg(3));
    case SYS_newfstatat: return out(path_or_fd(Kind::stat, fd(0), 1, arg(3)), 2, kStat);
    case SYS_statx: return with(out(path_or_fd(Kind::statx, fd(0), 1, arg(2)), 4, sizeof(struct statx)), arg(3));
    case SYS_statfs: return out(path(Kind::statfs, AT_FDCWD, 0), 1, 0);
    case SYS_faccessat: return with(path(Kind::access, fd(0), 1), arg(2));
    case SYS_faccessat2: return with(path_or_fd(Kind::access, fd(0), 1, arg(3)), arg(2));
    case SYS_readlinkat: return out(path(Kind::readlink, fd(0), 1), 2, arg(3) & 0xffffffff);
    case SYS_chdir: return path(Kind::chdir, AT_FDCWD, 0);
    case SYS_fchdir: return request_.kind = Kind::chdir, request_.folder = fd(0), request_.by_fd = true, 0;
    case SYS_getcwd: return request_.kind = Kind::getcwd, out(0, 0, arg(1));
    case SYS_mkdirat: return with(path(Kind::mkdir, fd(0), 1), arg(2));
    case SYS_unlinkat: return path((arg(2) & AT_REMOVEDIR) != 0 ? Kind::rmdir : Kind::unlink, fd(0), 1);
    case SYS_renameat2: return two_paths(Kind::rename, fd(0), 1, fd(2), 3, arg(4) & 0xffffffff);
    case SYS_linkat: return two_paths(Kind::link, fd(0), 1, fd(2), 3, arg(4) & 0xffffffff);
    case SYS_symlinkat:
      request_.folder2 = fd(1);
      request_.kind = Kind::symlink;
      if (const int error = memory_.text(arg(0), request_.path); error != 0) return error;
      return memory_.text(arg(2), request_.path2);
    case SYS_truncate: return with(path(Kind::truncate, AT_FDCWD, 0), arg(1));
    case SYS_fchmodat: return with(path(Kind::chmod, fd(0), 1), arg(2));
    case SYS_fchmodat2: return with(path_or_fd(Kind::chmod, fd(0), 1, arg(3)), arg(2));
    case SYS_utimensat: return utimens();
    case SYS_socket: return socket();
    case SYS_connect: return named(Kind::connect);
    case SYS_bind: return named(Kind::bind);
    case SYS_listen: return request_.kind = Kind::listen, request_.fd = fd(0), with(0, arg(1));
    case SYS_sendto: return send_to();
    case SYS_sendmsg: return send_message();
#ifdef __x86_64__
    case SYS_open: return open(AT_FDCWD, 0, arg(1), arg(2));
    case SYS_creat: return open(AT_FDCWD, 0, O_CREAT | O_WRONLY | O_TRUNC, arg(1));
    case SYS_stat: return out(path(Kind::stat, AT_FDCWD, 0), 1, kStat);
    case SYS_lstat: return request_.flags = AT_SYMLINK_NOFOLLOW, out(path(Kind::stat, AT_FDCWD, 0), 1, kStat);
    case SYS_access: return with(path(Kind::access, AT_FDCWD, 0), arg(1));
    case SYS_readlink: return out(path(Kind::readlink, AT_FDCWD, 0), 1, arg(2) & 0xffffffff);
    case SYS_mkdir: return with(path(Kind::mkdir, AT_FDCWD, 0), arg(1));
    case SYS_rmdir: return path(Kind::rmdir, AT_FDCWD, 0);
    case SYS_unlink: return path(Kind::unlink, AT_FDCWD, 0);
    case SYS_rename: return two_paths(Kind::rename, AT_FDCWD, 0, AT_FDCWD, 1, 0);
    case SYS_link: return two_paths(Kind::link, AT_FDCWD, 0, AT_FDCWD, 1, 0);
    case SYS_symlink:
      request_.folder2 = AT_FDCWD;
      request_.kind = Kind::symlink;
      if (const int error = memory_.text(arg(0), request_.path); error != 0) return error;
      return memory_.text(arg(1), request_.path2);
    case SYS_chmod: return with(path(Kind::chmod, AT_FDCWD, 0), arg(1));
#endif
#ifdef SYS_renameat
    case SYS_renameat: return two_paths(Kind::rename, fd(0), 1, fd(2), 3, 0);
#endif
    case SYS_openat2: return ENOSYS;  // whoever uses it falls back to openat
    default: return request_.kind = Kind::denied, 0;
  }
}

}  // namespace

int decode(const seccomp_data& call, Memory& memory, Request& request) {
  return Decoder(call, memory, request).decode();
}

}  // namespace pyisolate::broker
