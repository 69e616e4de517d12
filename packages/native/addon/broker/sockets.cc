// Calls on sockets. The broker makes them in its own network, so what a guest has is ruled call by call.
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "address.h"
#include "paths.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

namespace pyisolate::broker {
namespace {

constexpr int kKind = 0xf;  // of a socket's type: the rest are flags
constexpr std::uint64_t kFastOpen = 0x20000000;

struct Socket {
  int error = 0;
  UniqueFd fd;  // the guest's, shared
  int domain = 0;
  int kind = 0;
  int protocol = 0;
};

int option(int fd, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

Socket socket_of(const Call& call, int number) {
  Socket socket;
  socket.fd = call.client.descriptor(number);
  if (!socket.fd) return socket.error = EBADF, std::move(socket);
  socket.domain = option(socket.fd.get(), SO_DOMAIN);
  socket.kind = option(socket.fd.get(), SO_TYPE);
  socket.protocol = option(socket.fd.get(), SO_PROTOCOL);
  if (socket.domain < 0) socket.error = ENOTSOCK;
  return socket;
}

bool is_internet(const Socket& socket) { return socket.domain == AF_INET || socket.domain == AF_INET6; }

std::string describe(int protocol, const Address& peer) {
  return (protocol == IPPROTO_TCP ? "tcp://" : "udp://") + describe(peer);
}

bool may(const Call& call, NetOp op, int protocol, const Address& peer) {
  const auto names = call.client.names_of(peer);
  return call.permits(call.table().address(op, protocol, peer, names), operation_of(op), describe(protocol, peer));
}

bool upholds(const Call& call, NetOp op, const std::string& object, const Address& peer, std::size_t size = 0) {
  ContractTask facts{};
  facts.dst_family = peer.family;
  facts.dst_port = peer.port;
  facts.size = size;
  if (peer.family == 6) std::memcpy(facts.dst_addr, peer.bytes.data(), 16);
  if (peer.family == 4) {
    facts.dst_addr[10] = facts.dst_addr[11] = 0xff;
    std::memcpy(facts.dst_addr + 12, peer.bytes.data(), 4);
  }
  return call.upholds(hook_of(op), operation_of(op), object, facts);
}

// A Unix socket's address as the broker uses it. `hold` keeps the object that was judged.
struct UnixPeer {
  int error = 0;
  sockaddr_un address{};
  socklen_t bytes = 0;
  UniqueFd hold;
  std::string object{};  // as events call it
};

void point_at(UnixPeer& peer, const std::string& path) {
  peer.address.sun_family = AF_UNIX;
  std::memcpy(peer.address.sun_path, path.c_str(), std::min(path.size() + 1, sizeof peer.address.sun_path));
  peer.bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
}

UnixPeer unix_peer(const Call& call, const Request& request, NetOp op) {
  UnixPeer peer;
  constexpr std::size_t kPath = offsetof(sockaddr_un, sun_path);
  if (request.peer_bytes <= kPath || request.peer_bytes > sizeof(sockaddr_un))
    return peer.error = EINVAL, std::move(peer);
  std::memcpy(&peer.address, &request.peer, request.peer_bytes);
  const char* text = peer.address.sun_path;
  const std::size_t room = request.peer_bytes - kPath;
  if (text[0] == '\0') {
    const std::string name(text + 1, room - 1);
    peer.bytes = request.peer_bytes;
    peer.object = "unix://@" + name;
    if (!call.permits(call.table().unix_socket(op, name, true), operation_of(op), peer.object)) peer.error = EACCES;
    return peer;
  }
  const std::string path(text, ::strnlen(text, room));
  const auto permits = [&](const std::string& at) {
    peer.object = "unix://" + at;
    return call.permits(call.table().unix_socket(op, at, false), operation_of(op), "unix://" + at);
  };
  if (op == kBind) {
    Entry entry = find_entry(call, AT_FDCWD, path);
    peer.error = entry.error != 0 ? entry.error : permits(entry.path) ? 0 : EACCES;
    const std::string name = magic_link(entry.folder.get()) + '/' + entry.name;
    if (peer.error == 0 && name.size() >= sizeof peer.address.sun_path) peer.error = ENAMETOOLONG;
    if (peer.error == 0) point_at(peer, name);
    peer.hold = std::move(entry.folder);
    return peer;
  }
  Found found = find(call, AT_FDCWD, path, true);
  peer.error = permits(found.path) ? found.error : EACCES;
  if (peer.error == 0) point_at(peer, magic_link(found.fd.get()));
  peer.hold = std::move(found.fd);
  return peer;
}

Answer make(const Call& call, const Request& request) {
  const int kind = static_cast<int>(request.flags) & kKind;
  const bool internet = request.fd == AF_INET || request.fd == AF_INET6;
  const int usual = kind == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
  const bool known = kind == SOCK_STREAM || kind == SOCK_DGRAM;
  const bool allowed_kind = internet
                                ? known && (request.protocol == 0 || request.protocol == usual)
                                : request.fd == AF_UNIX && (known || kind == SOCK_SEQPACKET) && request.protocol == 0;
  // Multipath TCP may add peers on its own: as if the kernel had none, so that TCP is used.
  if (internet && request.protocol == IPPROTO_MPTCP) return Answer::fail(EPROTONOSUPPORT);
  const char* name = !internet ? "unix" : kind == SOCK_STREAM ? "tcp" : "udp";
  const bool may_have = allowed_kind && call.table().any_socket(internet ? usual : 0);
  const std::string object = allowed_kind ? std::string(name) + " socket" : "socket of another kind";
  if (!allowed_kind) return call.permits({}, Operation::socket, object), Answer::fail(EACCES);
  if (!may_have && !call.permits({}, Operation::socket, object)) return Answer::fail(EACCES);
  const int flags = static_cast<int>(request.flags) & SOCK_NONBLOCK;
  int error = 0;
  UniqueFd fd = make_socket(call.client, request.fd, kind | flags, internet ? usual : 0, error);
  if (error != 0) return Answer::fail(error);
  return Answer::give(std::move(fd), (request.flags & SOCK_CLOEXEC) != 0);
}

Answer connected(UniqueFd socket) {
  const int error = option(socket.get(), SO_ERROR);
  return error == 0 ? Answer{} : Answer::fail(error > 0 ? error : EIO);
}

// Without waiting, whatever the guest's socket does: a peer that doesn't answer must hold up nobody else.
Answer connect_to(Socket socket, const void* peer, socklen_t bytes) {
  const int flags = ::fcntl(socket.fd.get(), F_GETFL);
  const bool waits = (flags & O_NONBLOCK) == 0;
  if (waits) ::fcntl(socket.fd.get(), F_SETFL, flags | O_NONBLOCK);
  const int error = ::connect(socket.fd.get(), static_cast<const sockaddr*>(peer), bytes) == 0 ? 0 : errno;
  if (waits) ::fcntl(socket.fd.get(), F_SETFL, flags);
  Answer answer = Answer::fail(error);
  if (error != EINPROGRESS || !waits) return answer;
  answer.fd = std::move(socket.fd);
  answer.later = connected;
  return answer;
}

Dial judge_unix(const Call& call, const Request& request, NetOp op) {
  Dial dial;
  UnixPeer peer = unix_peer(call, request, op);
  dial.error = peer.error;
  if (dial.error == 0 && !upholds(call, op, peer.object, {})) dial.error = EPERM;
  std::memcpy(&dial.peer, &peer.address, sizeof peer.address);
  dial.peer_bytes = peer.bytes;
  dial.hold = std::move(peer.hold);
  dial.object = std::move(peer.object);
  return dial;
}

Dial judge_internet(const Call& call, const Request& request, NetOp op, int protocol) {
  Dial dial{.error = EAFNOSUPPORT, .peer = request.peer, .peer_bytes = request.peer_bytes, .hold = {}};
  const auto address = read_address(request.peer, request.peer_bytes);
  if (!address) return dial;
  const Address at = op == kConnect ? destination(*address) : *address;
  dial.object = describe(protocol, at);
  if (!may(call, op, protocol, at)) {
    dial.error = EACCES;
  } else {
    dial.error = upholds(call, op, dial.object, at) ? 0 : EPERM;
  }
  return dial;
}

Answer connect(const Call& call, const Request& request) {
  Socket socket = socket_of(call, request.fd);
  if (socket.error != 0) return Answer::fail(socket.error);
  if (request.peer_bytes < sizeof(sa_family_t)) return Answer::fail(EINVAL);
  if (request.peer.ss_family == AF_UNSPEC) {  // to be connected to nobody
    const sockaddr none = {.sa_family = AF_UNSPEC, .sa_data = {}};
    return connect_to(std::move(socket), &none, sizeof none);
  }
  if (socket.domain == AF_UNIX) {
    if (request.peer.ss_family != AF_UNIX) return Answer::fail(EINVAL);
    const Dial dial = judge_unix(call, request, kConnect);
    return dial.error != 0 ? Answer::fail(dial.error) : connect_to(std::move(socket), &dial.peer, dial.peer_bytes);
  }
  if (!is_internet(socket)) return Answer::fail(EAFNOSUPPORT);
  const Dial dial = judge_internet(call, request, kConnect, socket.protocol);
  return dial.error != 0 ? Answer::fail(dial.error) : connect_to(std::move(socket), &dial.peer, dial.peer_bytes);
}

Answer bind(const Call& call, const Request& request) {
  const Socket socket = socket_of(call, request.fd);
  if (socket.error != 0) return Answer::fail(socket.error);
  const auto bind_to = [&](const void* address, socklen_t bytes) {
    return ::bind(socket.fd.get(), static_cast<const sockaddr*>(address), bytes) == 0 ? Answer{} : Answer::fail(errno);
  };
  if (socket.domain != AF_UNIX && !is_internet(socket)) return Answer::fail(EAFNOSUPPORT);
  const Dial dial = socket.domain == AF_UNIX ? judge_unix(call, request, kBind)
                                             : judge_internet(call, request, kBind, socket.protocol);
  return dial.error != 0 ? Answer::fail(dial.error) : bind_to(&dial.peer, dial.peer_bytes);
}

// To listen without having bound is to be bound to any port of any address.
Answer listen(const Call& call, const Request& request) {
  const Socket socket = socket_of(call, request.fd);
  if (socket.error != 0) return Answer::fail(socket.error);
  sockaddr_storage own{};
  socklen_t bytes = sizeof own;
  if (::getsockname(socket.fd.get(), reinterpret_cast<sockaddr*>(&own), &bytes) != 0) return Answer::fail(errno);
  const auto address = read_address(own, bytes);
  if (is_internet(socket) && (!address || address->port == 0)) {
    const Address any{static_cast<std::uint8_t>(socket.domain == AF_INET ? 4 : 6), 0, {}};
    if (!may(call, kBind, socket.protocol, any)) return Answer::fail(EACCES);
  }
  const int backlog = static_cast<int>(std::min<std::uint64_t>(request.mode, SOMAXCONN));
  return ::listen(socket.fd.get(), backlog) == 0 ? Answer{} : Answer::fail(errno);
}

struct Message {
  std::vector<std::uint8_t> data;
  sockaddr_storage peer{};
  socklen_t peer_bytes = 0;
  int flags = 0;
  bool waits = false;
};

Answer send_now(UniqueFd socket, Message message) {
  const auto* peer = message.peer_bytes == 0 ? nullptr : reinterpret_cast<const sockaddr*>(&message.peer);
  const ssize_t sent = ::sendto(socket.get(), message.data.data(), message.data.size(),
                                message.flags | MSG_DONTWAIT | MSG_NOSIGNAL, peer, message.peer_bytes);
  if (sent >= 0) return Answer::of(sent);
  Answer answer = Answer::fail(errno);
  if (errno != EAGAIN || !message.waits) return answer;
  answer.fd = std::move(socket);
  answer.later = [message = std::move(message)](UniqueFd again) { return send_now(std::move(again), message); };
  return answer;
}

Answer send(const Call& call, const Request& request) {
  Socket socket = socket_of(call, request.fd);
  if (socket.error != 0) return Answer::fail(socket.error);
  if ((request.flags & kFastOpen) != 0) return Answer::fail(EOPNOTSUPP);
  if (socket.kind != SOCK_STREAM && request.data.size() >= kMostData) return Answer::fail(EMSGSIZE);
  Message message{.data = request.data, .flags = static_cast<int>(request.flags)};
  message.waits = (request.flags & MSG_DONTWAIT) == 0 && (::fcntl(socket.fd.get(), F_GETFL) & O_NONBLOCK) == 0;
  // A stream goes to the peer it has.
  if (request.peer_bytes == 0 || socket.kind == SOCK_STREAM) return send_now(std::move(socket.fd), std::move(message));
  if (socket.domain == AF_UNIX) {
    const UnixPeer peer = unix_peer(call, request, kSendTo);
    if (peer.error != 0) return Answer::fail(peer.error);
    if (!upholds(call, kSendTo, peer.object, {}, message.data.size())) return Answer::fail(EPERM);
    std::memcpy(&message.peer, &peer.address, peer.bytes);
    message.peer_bytes = peer.bytes;
    message.waits = false;  // what it holds on to ends with this call
    return send_now(std::move(socket.fd), std::move(message));
  }
  const auto address = read_address(request.peer, request.peer_bytes);
  if (!is_internet(socket) || !address) return Answer::fail(EAFNOSUPPORT);
  const int error = judge_send(call, socket.protocol, *address, message.data.size());
  if (error != 0) return Answer::fail(error);
  message.peer = request.peer;
  message.peer_bytes = request.peer_bytes;
  return send_now(std::move(socket.fd), std::move(message));
}

}  // namespace

Dial judge_dial(const Call& call, const Request& request) {
  return request.peer.ss_family == AF_UNIX ? judge_unix(call, request, kConnect)
                                           : judge_internet(call, request, kConnect, IPPROTO_TCP);
}

Dial judge_bind(const Call& call, const Request& request, int protocol) {
  return request.peer.ss_family == AF_UNIX ? judge_unix(call, request, kBind)
                                           : judge_internet(call, request, kBind, protocol);
}

UniqueFd make_socket(const Client& client, int family, int type, int protocol, int& error) {
  UniqueFd fd(::socket(family, type | SOCK_CLOEXEC, protocol));
  error = fd ? client.mark_socket(fd.get()) : errno;
  if (error != 0) fd.reset();
  return fd;
}

int judge_send(const Call& call, int protocol, const Address& peer, std::size_t size) {
  const Address to = destination(peer);
  if (!may(call, kSendTo, protocol, to)) return EACCES;
  return upholds(call, kSendTo, describe(protocol, to), to, size) ? 0 : EPERM;
}

Answer make_socket_call(const Call& call, const Request& request) {
  switch (request.kind) {
    case Kind::socket: return make(call, request);
    case Kind::connect: return connect(call, request);
    case Kind::bind: return bind(call, request);
    case Kind::listen: return listen(call, request);
    default: return send(call, request);
  }
}

}  // namespace pyisolate::broker
