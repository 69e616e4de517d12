#include "driver.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "../system_failure.h"

namespace pyisolate::io {
namespace {

constexpr std::size_t kStreamWindow = 256 * 1024;
constexpr auto kPause = std::chrono::milliseconds(100);
constexpr auto kStopGrace = std::chrono::milliseconds(500);

// Nothing is wrong with the listener: there is no descriptor or memory for a connection just now (accept(2)).
bool is_shortage(int error) { return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM; }

// A connection that broke before it was taken.
bool is_passing(int error) {
  return error == ECONNABORTED || error == EPROTO || error == ENETDOWN || error == ENOPROTOOPT || error == EHOSTDOWN ||
         error == ENONET || error == EHOSTUNREACH || error == ENETUNREACH || error == EAGAIN || error == EPERM;
}

}  // namespace

Driver::Driver(std::shared_ptr<Mailbox> mailbox, std::shared_ptr<Workers> workers, std::shared_ptr<Outbox> outbox,
               std::shared_ptr<Counters> counters, std::shared_ptr<std::atomic<std::uint64_t>> next_handle)
    : mailbox_(std::move(mailbox)),
      workers_(std::move(workers)),
      outbox_(std::move(outbox)),
      counters_(std::move(counters)),
      next_handle_(std::move(next_handle)) {}

void Driver::run() {
  for (;;) {
    for (const auto& command : mailbox_->take()) command();
    const auto until = look_after_times();
    if (stopping_ && (handles_.empty() || Clock::now() >= stop_at_)) return;
    backend_->run(until);
    ++counters_->wakeups;
    counters_->fixed_files.store(backend_->fixed_files(), std::memory_order_relaxed);
  }
}

void Driver::stop() {
  stopping_ = true;
  stop_at_ = Clock::now() + kStopGrace;
  openings_.clear();
  std::vector<Handle*> all;
  for (const auto& [_, handle] : handles_) all.push_back(handle.get());
  for (Handle* handle : all) {
    begin_close(*handle, 0);
    finish_close(*handle);
  }
}

Clock::time_point Driver::look_after_times() {
  auto until = stop_at_;
  const auto now = Clock::now();
  if (pausing_ > 0) {
    for (const auto& [_, handle] : handles_) {
      if (handle->retry <= now) {
        handle->retry = kNever;
        --pausing_;
        pull(*handle);
      }
      until = std::min(until, handle->retry);
    }
  }
  for (auto at = openings_.begin(); at != openings_.end();) {
    if (at->second.deadline <= now) {
      report_done(at->first, -ETIME);
      at = openings_.erase(at);
    } else {
      until = std::min(until, at->second.deadline);
      ++at;
    }
  }
  return until;
}

Handle& Driver::add(std::uint64_t id, Handle::Type type, std::shared_ptr<UniqueFd> fd) {
  auto handle = std::make_unique<Handle>();
  handle->id = id;
  handle->type = type;
  handle->file.fd = std::move(fd);
  handle->file.is_socket = type != Handle::Type::file;
  handle->window = kStreamWindow;
  handle->in.kind = type == Handle::Type::listener    ? Kind::accept
                    : type == Handle::Type::datagrams ? Kind::receive_from
                                                      : Kind::receive;
  handle->in.owner = handle.get();
  handle->in.file = &handle->file;
  backend_->adopt(handle->file);
  counters_->handles.fetch_add(1, std::memory_order_relaxed);
  return *(handles_[id] = std::move(handle));
}

Handle* Driver::find(std::uint64_t id) {
  const auto found = handles_.find(id);
  return found == handles_.end() || found->second->closing ? nullptr : found->second.get();
}

Handle* Driver::need(std::uint64_t handle, std::uint64_t id, Handle::Type type) {
  const auto found = handles_.find(handle);
  if (found != handles_.end() && found->second->revoked) return report_done(id, -EACCES), nullptr;
  if (found != handles_.end() && !found->second->closing && found->second->type == type) return found->second.get();
  return report_done(id, -EBADF), nullptr;
}

Transfer& Driver::transfer(Handle& handle, std::uint64_t id, Kind kind, Clock::time_point deadline) {
  auto made = std::make_unique<Transfer>();
  made->id = id;
  made->kind = kind;
  made->owner = &handle;
  made->file = &handle.file;
  made->deadline = deadline;
  return *(transfers_[id] = std::move(made));
}

void Driver::start(Operation& operation) {
  ++operation.owner->active;
  backend_->start(operation);
}

void Driver::send(std::uint64_t handle, std::uint64_t id, std::vector<std::uint8_t> bytes, Clock::time_point deadline) {
  Handle* to = need(handle, id, Handle::Type::stream);
  if (to == nullptr) return;
  Transfer& made = transfer(*to, id, Kind::send, deadline);
  made.buffer = std::make_shared<std::vector<std::uint8_t>>(std::move(bytes));
  to->to_send.push_back(&made);
  if (to->to_send.size() == 1) start_sending(*to);
}

void Driver::start_sending(Handle& handle) {
  while (!handle.to_send.empty()) {
    Transfer& first = *handle.to_send.front();
    const int error = first.judge ? first.judge() : 0;
    if (error == 0) return start(first);
    report_done(first.id, -error);
    handle.to_send.pop_front();
    transfers_.erase(first.id);
  }
}

void Driver::shut(std::uint64_t handle, std::uint64_t id) {
  Handle* at = need(handle, id, Handle::Type::stream);
  if (at == nullptr) return;
  report_done(id, ::shutdown(at->file.fd->get(), SHUT_WR) == 0 ? 0 : -errno);
}

void Driver::read(std::uint64_t handle, std::uint64_t id, std::uint64_t offset, std::size_t size,
                  Clock::time_point deadline) {
  Handle* from = need(handle, id, Handle::Type::file);
  if (from == nullptr) return;
  Transfer& made = transfer(*from, id, Kind::read, deadline);
  made.buffer = std::make_shared<std::vector<std::uint8_t>>(size);
  made.offset = offset;
  start(made);
}

void Driver::write(std::uint64_t handle, std::uint64_t id, std::uint64_t offset, std::vector<std::uint8_t> bytes,
                   Clock::time_point deadline) {
  Handle* to = need(handle, id, Handle::Type::file);
  if (to == nullptr) return;
  Transfer& made = transfer(*to, id, Kind::write, deadline);
  made.buffer = std::make_shared<std::vector<std::uint8_t>>(std::move(bytes));
  made.offset = offset;
  start(made);
}

void Driver::consume(std::uint64_t handle, std::size_t count) {
  Handle* from = find(handle);
  if (from == nullptr) return;
  from->unread -= std::min(count, from->unread);
  pull(*from);
}

void Driver::set_option(std::uint64_t handle, int name, int value) {
  if (Handle* at = find(handle)) ::setsockopt(at->file.fd->get(), SOL_SOCKET, name, &value, sizeof value);
}

void Driver::pull(Handle& handle) {
  if (handle.closing || handle.ended || !handle.opened || handle.in.active || handle.retry != kNever) return;
  if (handle.type == Handle::Type::file || handle.unread > handle.window / 2) return;
  start(handle.in);
}

void Driver::accepted(Operation& operation, UniqueFd socket) {
  Handle& listener = *operation.owner;
  if (listener.closing) return;
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  ::getpeername(socket.get(), reinterpret_cast<sockaddr*>(&peer), &size);
  auto [text, port] = name_of(peer, size);
  const std::uint64_t id = next_handle_->fetch_add(1);
  try {
    Handle& stream = add(id, Handle::Type::stream, std::make_shared<UniqueFd>(std::move(socket)));
    stream.opened = true;
    if (listener.grant.holds) stream.window = kGuestWindow;
    stream.grant = listener.grant;
    ++counters_->operations;
    outbox_->put(
        {.kind = Report::Kind::accepted, .handle = listener.id, .id = id, .result = port, .text = std::move(text)});
    pull(stream);
  } catch (const SystemFailure&) {
    ++counters_->shortages;  // it is closed again
    return;
  }
  if (++listener.unread >= listener.window) backend_->cancel(operation);
}

void Driver::received(Operation& operation, std::span<const std::uint8_t> bytes) {
  Handle& stream = *operation.owner;
  if (stream.closing) return;
  stream.unread += bytes.size();
  ++counters_->operations;
  counters_->bytes_in += bytes.size();
  outbox_->put({.kind = Report::Kind::data,
                .handle = stream.id,
                .bytes = std::make_shared<std::vector<std::uint8_t>>(bytes.begin(), bytes.end())});
  if (stream.unread >= stream.window) backend_->cancel(operation);
}

void Driver::finished(Operation& operation, int result) {
  Handle& handle = *operation.owner;
  --handle.active;
  if (&operation == &handle.in) {
    inbound_finished(handle, result);
  } else {
    transfer_finished(static_cast<Transfer&>(operation), result);
  }
  finish_close(handle);
}

void Driver::inbound_finished(Handle& handle, int result) {
  if (handle.closing) return;
  const bool listens = handle.type == Handle::Type::listener;
  if (result == -ECANCELED || (listens && is_passing(-result))) return pull(handle);
  if (listens && is_shortage(-result)) {
    ++counters_->shortages;
    ++pausing_;
    handle.retry = Clock::now() + kPause;
    return;
  }
  handle.ended = true;
  outbox_->put({.kind = Report::Kind::end, .handle = handle.id, .result = result});
}

void Driver::transfer_finished(Transfer& transfer, int result) {
  Handle& handle = *transfer.owner;
  if (transfer.kind == Kind::connect) {
    ++counters_->operations;
    holds_.erase(transfer.id);
    handle.opened = result == 0;
    if (result == 0) {
      pull(handle);
    } else {
      begin_close(handle, 0);
    }
    return complete(transfer, result);
  }
  if (result < 0 || transfer.kind == Kind::send_to) {
    if (result >= 0) ++counters_->operations, counters_->bytes_out += static_cast<std::size_t>(result);
    return complete(transfer, result);
  }
  transfer.done += static_cast<std::size_t>(result);
  transfer.offset += static_cast<std::size_t>(result);
  (transfer.kind == Kind::read ? counters_->bytes_in : counters_->bytes_out) += static_cast<std::size_t>(result);
  ++counters_->operations;
  // A short write goes on; a short read is one.
  const bool more = transfer.kind != Kind::read && transfer.size() > 0 && result > 0;
  if (more && !handle.closing && !transfer.cancelling) return start(transfer);
  if (transfer.size() > 0 && transfer.kind != Kind::read) return complete(transfer, result == 0 ? -EIO : -ECANCELED);
  complete(transfer, static_cast<std::int64_t>(transfer.done));
}

void Driver::complete(Transfer& transfer, std::int64_t result) {
  Handle& handle = *transfer.owner;
  if (handle.revoked && result < 0) result = -EACCES;
  Report report{.kind = Report::Kind::done, .handle = handle.id, .id = transfer.id, .result = result};
  if (transfer.kind == Kind::read && result >= 0) {
    transfer.buffer->resize(transfer.done);
    report.bytes = std::move(transfer.buffer);
  }
  outbox_->put(std::move(report));
  const bool sent = transfer.kind == Kind::send || transfer.kind == Kind::send_to;
  transfers_.erase(transfer.id);
  if (!sent) return;
  handle.to_send.pop_front();
  if (!handle.closing) start_sending(handle);
}

void Driver::cancel(std::uint64_t id) {
  if (openings_.erase(id) > 0) return report_done(id, -ECANCELED);
  const auto found = transfers_.find(id);
  if (found == transfers_.end()) return;
  Transfer& transfer = *found->second;
  if (transfer.active) return backend_->cancel(transfer);
  std::erase(transfer.owner->to_send, &transfer);
  transfers_.erase(found);
  report_done(id, -ECANCELED);
}

void Driver::close(std::uint64_t handle, std::uint64_t id) {
  const auto found = handles_.find(handle);
  if (found == handles_.end() || found->second->close_id != 0) return report_done(id, 0);
  Handle& at = *found->second;
  if (at.closing && !at.revoked) return report_done(id, 0);
  at.close_id = id;
  begin_close(at, id);
  finish_close(at);
}

void Driver::begin_close(Handle& handle, std::uint64_t id) {
  if (handle.closing) return;
  handle.closing = true;
  handle.close_id = id;
  if (handle.retry != kNever) handle.retry = kNever, --pausing_;
  // Those that wait behind the first never begin.
  while (handle.to_send.size() > 1) {
    const std::uint64_t waiting = handle.to_send.back()->id;
    handle.to_send.pop_back();
    transfers_.erase(waiting);
    report_done(waiting, handle.revoked ? -EACCES : -ECANCELED);
  }
  if (handle.in.active) backend_->cancel(handle.in);
  for (const auto& [_, transfer] : transfers_) {
    if (transfer->owner == &handle && transfer->active) backend_->cancel(*transfer);
  }
}

void Driver::finish_close(Handle& handle) {
  if (!handle.closing || handle.active > 0) return;
  if (handle.file.fd) {
    backend_->release(handle.file);
    handle.file.fd.reset();
    counters_->handles.fetch_sub(1, std::memory_order_relaxed);
  }
  // Whoever has it is yet to ask for something, and to be told.
  if (handle.revoked && handle.opened && handle.close_id == 0 && !stopping_) return;
  if (handle.close_id != 0) report_done(handle.close_id, 0);
  handles_.erase(handle.id);
}

void Driver::report_done(std::uint64_t id, std::int64_t result) {
  outbox_->put({.kind = Report::Kind::done, .id = id, .result = result});
}

}  // namespace pyisolate::io
