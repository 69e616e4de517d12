#include "services.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/stat.h>

#include <cerrno>
#include <new>
#include <utility>

#include "address.h"
#include "call.h"
#include "paths.h"

namespace pyisolate::broker {
namespace {

constexpr std::uint64_t kFlags = O_ACCMODE | O_CREAT | O_EXCL | O_TRUNC;

// Nothing of such a call is in the guest's memory.
class NoMemory final : public Memory {
 public:
  bool read(std::uint64_t, void*, std::size_t) override { return false; }
  bool write(std::uint64_t, const void*, std::size_t) override { return false; }
};

template <typename Make>
Service serve(Client& client, Make&& make) {
  Service service;
  const auto policy = client.policy();
  if (!policy) return service.error = EACCES, service;
  NoMemory memory;
  try {
    make(Call{client, *policy, memory, 0, 0}, service);
  } catch (const std::bad_alloc&) {
    service.error = ENOMEM;
  }
  return service;
}

using Judge = std::function<bool(const Call&)>;

std::function<bool()> grant(const Asking& client, const Call& call, Judge judge) {
  return [client, judge = std::move(judge), generation = call.policy.generation]() mutable {
    const auto policy = client->policy();
    if (!policy) return false;
    if (policy->generation == generation) return true;
    NoMemory memory;
    try {
      if (!policy->table->log_only() && !judge(Call{*client, *policy, memory, 0, 0})) return false;
    } catch (const std::bad_alloc&) {
      return false;
    }
    generation = policy->generation;
    return true;
  };
}

Judge of_file(std::string path, std::uint64_t flags) {
  const auto access = flags & O_ACCMODE;
  return [path = std::move(path), reads = access != O_WRONLY, writes = access != O_RDONLY](const Call& call) {
    return (!reads || call.permits(call.table().file(path, kRead), Operation::read, path)) &&
           (!writes || call.permits(call.table().file(path, kWrite), Operation::write, path));
  };
}

// Names that led to the peer count as they did then.
Judge of_socket(const Call& call, const Dial& dial, const Request& request, NetOp op, int protocol) {
  const auto operation = operation_of(op);
  if (request.peer.ss_family == AF_UNIX) {
    return [op, operation, object = dial.object](const Call& now) {
      const auto path = object.substr(sizeof "unix://" - 1);
      const bool abstract = path.starts_with('@');
      const auto decision = now.table().unix_socket(op, abstract ? path.substr(1) : path, abstract);
      return now.permits(decision, operation, object);
    };
  }
  const auto address = read_address(request.peer, request.peer_bytes);
  return [op, operation, protocol, object = dial.object, peer = op == kConnect ? destination(*address) : *address,
          names = call.client.names_of(destination(*address))](const Call& now) {
    return now.permits(now.table().address(op, protocol, peer, names), operation, object);
  };
}

Request about(const sockaddr_storage& peer, socklen_t bytes) {
  Request request{};
  request.peer = peer;
  request.peer_bytes = bytes;
  return request;
}

void set(int fd, int level, int name, int value) { ::setsockopt(fd, level, name, &value, sizeof value); }

// Judged, made and bound.
void bound(const Asking& client, const Call& call, Service& service, const Request& request, int kind) {
  const int protocol = kind == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
  const Dial dial = judge_bind(call, request, protocol);
  service.error = dial.error;
  if (service.error != 0) return;
  const int family = request.peer.ss_family;
  UniqueFd fd = make_socket(*client, family, kind, 0, service.error);
  if (service.error != 0) return;
  if (family != AF_UNIX && kind == SOCK_STREAM) set(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (family == AF_INET6) set(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&dial.peer), dial.peer_bytes) != 0) {
    service.error = errno;
    return;
  }
  service.fd = std::make_shared<UniqueFd>(std::move(fd));
  service.granted = grant(client, call, of_socket(call, dial, request, kBind, protocol));
}

}  // namespace

std::shared_ptr<void> take_turn(std::shared_ptr<Client> client) {
  if (client->asking.fetch_add(1) >= kAskingEach) {
    --client->asking;
    return nullptr;
  }
  void* raw = client.get();
  return {raw, [client = std::move(client)](void*) { --client->asking; }};
}

Service open_service(const Asking& client, const std::string& path, std::uint64_t flags, std::uint32_t mode) {
  return serve(*client, [&](const Call& call, Service& service) {
    Request request{};
    request.kind = Kind::open;
    request.folder = AT_FDCWD;
    request.path = path;
    // A pipe or a device would be waited for.
    request.flags = (flags & kFlags) | O_NONBLOCK | O_CLOEXEC;
    request.mode = mode;
    Answer answer = make_file_call(call, request);
    struct stat info{};
    service.error = answer.error;
    if (service.error != 0) return;
    if (::fstat(answer.fd.get(), &info) != 0) {
      service.error = errno;
    } else if (!S_ISREG(info.st_mode)) {
      service.error = S_ISDIR(info.st_mode) ? EISDIR : EOPNOTSUPP;
    } else {
      service.size = static_cast<std::uint64_t>(info.st_size);
      service.granted = grant(client, call, of_file(path_of(call, answer.fd.get()), flags));
      service.fd = std::make_shared<UniqueFd>(std::move(answer.fd));
    }
  });
}

Service connect_service(const Asking& client, const sockaddr_storage& peer, socklen_t bytes) {
  return serve(*client, [&](const Call& call, Service& service) {
    const Request request = about(peer, bytes);
    Dial dial = judge_dial(call, request);
    service.error = dial.error;
    if (service.error != 0) return;
    UniqueFd fd = make_socket(*client, peer.ss_family, SOCK_STREAM, 0, service.error);
    if (service.error != 0) return;
    service.fd = std::make_shared<UniqueFd>(std::move(fd));
    service.granted = grant(client, call, of_socket(call, dial, request, kConnect, IPPROTO_TCP));
    service.peer = dial.peer;
    service.peer_bytes = dial.peer_bytes;
    service.hold = std::make_shared<UniqueFd>(std::move(dial.hold));
  });
}

Service listen_service(const Asking& client, const sockaddr_storage& at, socklen_t bytes, int backlog) {
  return serve(*client, [&](const Call& call, Service& service) {
    bound(client, call, service, about(at, bytes), SOCK_STREAM);
    if (service.error == 0 && ::listen(service.fd->get(), backlog) != 0) service.error = errno;
  });
}

Service datagram_service(const Asking& client, const sockaddr_storage& at, socklen_t bytes) {
  return serve(*client, [&](const Call& call, Service& service) {
    if (bytes != 0) {
      if (at.ss_family == AF_UNIX) service.error = EAFNOSUPPORT;
      return service.error == 0 ? bound(client, call, service, about(at, bytes), SOCK_DGRAM) : void();
    }
    // As for a guest's own socket: where nothing could be done with it, there is none.
    const auto may_have = [](const Call& now) {
      return now.table().any_socket(IPPROTO_UDP) || now.permits({}, Operation::socket, "udp socket");
    };
    if (!may_have(call)) {
      service.error = EACCES;
      return;
    }
    UniqueFd fd = make_socket(*client, AF_INET6, SOCK_DGRAM, 0, service.error);
    if (fd) set(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
    if (!fd) fd = make_socket(*client, AF_INET, SOCK_DGRAM, 0, service.error);
    if (service.error != 0) return;
    service.fd = std::make_shared<UniqueFd>(std::move(fd));
    service.granted = grant(client, call, may_have);
  });
}

int send_service(Client& client, const sockaddr_storage& peer, socklen_t bytes, std::size_t size) {
  const auto address = read_address(peer, bytes);
  if (!address) return EAFNOSUPPORT;
  return serve(client, [&](const Call& call,
                           Service& service) { service.error = judge_send(call, IPPROTO_UDP, *address, size); })
      .error;
}

}  // namespace pyisolate::broker
