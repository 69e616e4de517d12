#include "services.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <new>
#include <utility>

#include "call.h"

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

}  // namespace

std::shared_ptr<Client> take_turn(std::shared_ptr<Client> client) {
  if (client->asking.fetch_add(1) >= kAskingEach) {
    --client->asking;
    return nullptr;
  }
  Client* raw = client.get();
  return {raw, [client = std::move(client)](Client* asking) { --asking->asking; }};
}

Service open_service(Client& client, const std::string& path, std::uint64_t flags, std::uint32_t mode) {
  return serve(client, [&](const Call& call, Service& service) {
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
      service.fd = std::make_shared<UniqueFd>(std::move(answer.fd));
    }
  });
}

Service connect_service(Client& client, const sockaddr_storage& peer, socklen_t bytes) {
  return serve(client, [&](const Call& call, Service& service) {
    Request request{};
    request.kind = Kind::connect;
    request.peer = peer;
    request.peer_bytes = bytes;
    Dial dial = judge_dial(call, request);
    service.error = dial.error;
    if (service.error != 0) return;
    UniqueFd fd(::socket(peer.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    service.error = fd ? client.mark_socket(fd.get()) : errno;
    service.fd = std::make_shared<UniqueFd>(std::move(fd));
    service.peer = dial.peer;
    service.peer_bytes = dial.peer_bytes;
    service.hold = std::make_shared<UniqueFd>(std::move(dial.hold));
  });
}

}  // namespace pyisolate::broker
