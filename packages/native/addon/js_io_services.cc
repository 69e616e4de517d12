// What an I/O thread does for a sandbox, by its policy.
#include "broker/services.h"
#include "js_cell.h"
#include "js_io.h"
#include "js_io_values.h"

namespace pyisolate {
namespace {

// What a sandbox asks for, judged as a call of its own: EACCES for one without a policy, EAGAIN for one that has had
// its turns.
template <typename Ask>
io::Opener judged(const std::shared_ptr<broker::Client>& client, Ask&& ask) {
  const auto turn = client ? broker::take_turn(client) : nullptr;
  return [client, turn, error = client ? EAGAIN : EACCES, ask = std::forward<Ask>(ask)] {
    io::Opened opened;
    opened.error = error;
    if (!turn) return opened;
    auto service = ask(client);
    opened.grant = {std::move(service.granted), client.get()};
    opened.error = service.error;
    opened.fd = std::move(service.fd);
    opened.value = service.size;
    opened.peer = service.peer;
    opened.peer_bytes = service.peer_bytes;
    opened.hold = std::move(service.hold);
    return opened;
  };
}

}  // namespace

Napi::Value JsIo::open_for(const Napi::CallbackInfo& info) {
  const auto client = JsCell::need_cell(info[0]).asking();
  const auto path = need_string(info[1], "path");
  const auto flags = need_uint32(info[2], "flags", 0, INT32_MAX);
  const auto mode = need_uint32(info[3], "mode", 0, 07777);
  const auto deadline = need_deadline(info[4]);
  const auto opener =
      judged(client, [=](const broker::Asking& asking) { return broker::open_service(asking, path, flags, mode); });
  return open_by(info, io::Handle::Type::file, opener, deadline);
}

Napi::Value JsIo::connect_for(const Napi::CallbackInfo& info) {
  const auto client = JsCell::need_cell(info[0]).asking();
  const Place to = need_place(info[1]);
  const auto deadline = need_deadline(info[2]);
  const auto opener = judged(
      client, [=](const broker::Asking& asking) { return broker::connect_service(asking, to.address, to.bytes); });
  return open_by(info, io::Handle::Type::stream, opener, deadline);
}

Napi::Value JsIo::listen_for(const Napi::CallbackInfo& info) {
  const auto client = JsCell::need_cell(info[0]).asking();
  const Place at = need_place(info[1]);
  const auto backlog = static_cast<int>(need_uint32(info[2], "backlog", 1, 65535));
  const auto window = need_uint32(info[3], "window", 1, 1 << 20);
  const auto deadline = need_deadline(info[4]);
  const auto judge = judged(client, [=](const broker::Asking& asking) {
    return broker::listen_service(asking, at.address, at.bytes, backlog);
  });
  const auto opener = [=] {
    io::Opened opened = judge();
    opened.window = window;
    // The kernel knows it by a path of this process.
    if (at.address.ss_family == AF_UNIX) opened.name = io::name_of(at.address, at.bytes).first;
    return opened;
  };
  return open_by(info, io::Handle::Type::listener, opener, deadline);
}

Napi::Value JsIo::datagrams_for(const Napi::CallbackInfo& info) {
  const auto client = JsCell::need_cell(info[0]).asking();
  const Place at = info[1].IsNull() ? Place{} : need_place(info[1]);
  const auto deadline = need_deadline(info[2]);
  const auto opener = judged(
      client, [=](const broker::Asking& asking) { return broker::datagram_service(asking, at.address, at.bytes); });
  return open_by(info, io::Handle::Type::datagrams, opener, deadline);
}

Napi::Value JsIo::send_to(const Napi::CallbackInfo& info) {
  const auto handle = need_integer(info[0], "handle");
  auto bytes = need_payload(info[1]);
  const Place to = need_place(info[2]);
  const auto deadline = need_deadline(info[3]);
  std::function<int()> judge;
  if (!info[4].IsUndefined()) {
    const auto client = JsCell::need_cell(info[4]).asking();
    judge = [client, to, size = bytes.size()] {
      return client ? broker::send_service(*client, to.address, to.bytes, size) : EACCES;
    };
  }
  const auto id = io_->next_operation();
  io_->post([=, bytes = std::move(bytes)](io::Driver& driver) {
    driver.send_to(handle, id, bytes, to.address, to.bytes, deadline, judge);
  });
  return operation(info, id);
}

Napi::Value JsIo::judge_again(const Napi::CallbackInfo& info) {
  const auto client = JsCell::need_cell(info[0]).asking();
  const auto id = io_->next_operation();
  // Kept until then: its address stands for it.
  io_->post([=](io::Driver& driver) { driver.judge_again(client.get(), id); });
  return operation(info, id);
}

}  // namespace pyisolate
