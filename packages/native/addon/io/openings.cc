// How a driver comes by its descriptors, and how a policy takes them away.
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include "../broker/address.h"
#include "../system_failure.h"
#include "driver.h"

namespace pyisolate::io {
std::pair<std::string, int> name_of(const sockaddr_storage& address, socklen_t bytes) {
  if (const auto internet = broker::read_address(address, bytes)) {
    std::string text = broker::describe(*internet);
    text.resize(text.rfind(':'));
    if (text.starts_with('[')) text = text.substr(1, text.size() - 2);
    return {std::move(text), internet->port};
  }
  constexpr std::size_t kPath = offsetof(sockaddr_un, sun_path);
  if (address.ss_family != AF_UNIX || bytes <= kPath) return {};
  const char* path = reinterpret_cast<const sockaddr_un&>(address).sun_path;
  if (path[0] == '\0') return {'@' + std::string(path + 1, bytes - kPath - 1), 0};
  return {std::string(path, ::strnlen(path, bytes - kPath)), 0};
}

void Driver::listen(std::uint64_t handle, std::uint64_t id, const sockaddr_storage& at, socklen_t bytes, int backlog,
                    std::size_t window) {
  auto fd = std::make_shared<UniqueFd>(::socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!*fd) return report_done(id, -errno);
  const int on = 1;
  if (at.ss_family != AF_UNIX) ::setsockopt(fd->get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(fd->get(), reinterpret_cast<const sockaddr*>(&at), bytes) != 0 || ::listen(fd->get(), backlog) != 0)
    return report_done(id, -errno);
  try {
    Handle& listener = add(handle, Handle::Type::listener, std::move(fd));
    listener.window = window;
    report_bound(listener, id, {});
  } catch (const SystemFailure& failure) {
    report_done(id, -failure.error());
  }
}

void Driver::report_bound(Handle& handle, std::uint64_t id, std::string name) {
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  ::getsockname(handle.file.fd->get(), reinterpret_cast<sockaddr*>(&own), &size);
  auto [text, port] = name_of(own, size);
  handle.opened = true;
  handle.family = own.ss_family;
  outbox_->put(
      {.kind = Report::Kind::done, .id = id, .result = port, .text = name.empty() ? std::move(text) : std::move(name)});
  pull(handle);
}

void Driver::connect(std::uint64_t handle, std::uint64_t id, const sockaddr_storage& peer, socklen_t bytes,
                     Clock::time_point deadline) {
  Opened where;
  where.fd = std::make_shared<UniqueFd>(::socket(peer.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!*where.fd) return report_done(id, -errno);
  where.peer = peer;
  where.peer_bytes = bytes;
  try {
    begin_connect(add(handle, Handle::Type::stream, where.fd), id, where, deadline);
  } catch (const SystemFailure& failure) {
    report_done(id, -failure.error());
  }
}

void Driver::begin_connect(Handle& handle, std::uint64_t id, Opened where, Clock::time_point deadline) {
  Transfer& made = transfer(handle, id, Kind::connect, deadline);
  made.peer = where.peer;
  made.peer_bytes = where.peer_bytes;
  if (where.hold) holds_[id] = std::move(where.hold);
  start(made);
}

void Driver::open(std::uint64_t handle, std::uint64_t id, Handle::Type type, Opener opener,
                  Clock::time_point deadline) {
  openings_[id] = {handle, type, deadline};
  const bool accepted = workers_->run([this, mailbox = mailbox_, id, opener = std::move(opener)] {
    Opened result = opener();
    // Commands run on the I/O thread while this lives, or not at all.
    mailbox->post([this, id, result = std::move(result)] { opened(id, result); });
  });
  if (accepted) return;
  openings_.erase(id);
  report_done(id, -EAGAIN);
}

void Driver::opened(std::uint64_t id, Opened result) {
  const auto found = openings_.find(id);
  if (found == openings_.end()) return;  // given up meanwhile
  const Opening opening = found->second;
  openings_.erase(found);
  if (result.error != 0) return report_done(id, -result.error);
  // It was judged by a policy that is not in force any more, and this one says otherwise.
  if (result.grant.revoked()) return report_done(id, -EACCES);
  try {
    Handle& handle = add(opening.handle, opening.type, result.fd);
    handle.window = result.window != 0 ? result.window : kGuestWindow;
    handle.grant = std::move(result.grant);
    if (opening.type == Handle::Type::listener || opening.type == Handle::Type::datagrams) {
      ++counters_->operations;
      return report_bound(handle, id, std::move(result.name));
    }
    if (result.peer_bytes != 0) return begin_connect(handle, id, std::move(result), opening.deadline);
    handle.opened = true;
    ++counters_->operations;
    report_done(id, static_cast<std::int64_t>(result.value));
  } catch (const SystemFailure& failure) {
    report_done(id, -failure.error());
  }
}

void Driver::judge_again(const void* grantee, std::uint64_t id) {
  std::int64_t revoked = 0;
  for (const auto& [_, handle] : handles_) {
    if (stopping_ || handle->closing || handle->grant.grantee != grantee || !handle->grant.revoked()) continue;
    revoke(*handle);
    ++revoked;
  }
  report_done(id, revoked);
}

void Driver::revoke(Handle& handle) {
  handle.revoked = true;
  outbox_->put({.kind = Report::Kind::revoked, .handle = handle.id});
  begin_close(handle, 0);
  // Its peer is to know at once, whatever is still under way here.
  if (handle.file.is_socket) ::shutdown(handle.file.fd->get(), SHUT_RDWR);
  if (handle.active == 0 && handle.opened) finish_close(handle);
}

}  // namespace pyisolate::io
