#include "js_io.h"

#include <fcntl.h>

#include <cstring>

#include "js_barrier.h"
#include "js_io_values.h"

namespace pyisolate {
namespace {

class JsIoEvents final : public io::IoEvents {
 public:
  explicit JsIoEvents(const Napi::Object& listeners) : env_(listeners.Env()), state_(JsState::of(env_)) {
    need_function(listeners, "onReport");
    napi_create_reference(env_, listeners, 1, &listeners_);
  }
  ~JsIoEvents() override { napi_delete_reference(env_, listeners_); }

  void reports(std::vector<io::Report> reports) override {
    state_.enter();
    napi_value self = nullptr;
    napi_get_reference_value(env_, listeners_, &self);
    const JsValues make(env_);
    for (io::Report& report : reports) {
      napi_handle_scope scope = nullptr;
      napi_open_handle_scope(env_, &scope);
      const napi_value arguments[] = {
          make.number(static_cast<double>(report.kind)),     make.number(static_cast<double>(report.handle)),
          make.number(static_cast<double>(report.id)),       make.number(static_cast<double>(report.result)),
          report.bytes ? bytes(*report.bytes) : make.null(), make.text(report.text)};
      call_listener(env_, self, "onReport", arguments);
      napi_close_handle_scope(env_, scope);
    }
    state_.leave();
  }

 private:
  napi_value bytes(const std::vector<std::uint8_t>& from) const {
    void* data = nullptr;
    napi_value buffer = nullptr, array = nullptr;
    if (napi_create_arraybuffer(env_, from.size(), &data, &buffer) != napi_ok) return JsValues(env_).null();
    if (!from.empty()) std::memcpy(data, from.data(), from.size());
    napi_create_typedarray(env_, napi_uint8_array, from.size(), buffer, 0, &array);
    return array;
  }

  napi_env env_;
  JsState& state_;
  napi_ref listeners_ = nullptr;
};

}  // namespace

void JsIo::define(Napi::Env env, Napi::Object exports) {
  const Napi::Function made = DefineClass(env, "IoHandle",
                                          {InstanceAccessor<&JsIo::backend>("backend"),
                                           InstanceAccessor<&JsIo::refusal>("refusal"),
                                           InstanceMethod<&JsIo::listen>("listen"),
                                           InstanceMethod<&JsIo::connect>("connect"),
                                           InstanceMethod<&JsIo::open_file>("openFile"),
                                           InstanceMethod<&JsIo::open_for>("openFor"),
                                           InstanceMethod<&JsIo::connect_for>("connectFor"),
                                           InstanceMethod<&JsIo::listen_for>("listenFor"),
                                           InstanceMethod<&JsIo::datagrams>("datagrams"),
                                           InstanceMethod<&JsIo::datagrams_for>("datagramsFor"),
                                           InstanceMethod<&JsIo::send_to>("sendTo"),
                                           InstanceMethod<&JsIo::judge_again>("judgeAgain"),
                                           InstanceMethod<&JsIo::send>("send"),
                                           InstanceMethod<&JsIo::shut>("shut"),
                                           InstanceMethod<&JsIo::read>("read"),
                                           InstanceMethod<&JsIo::write>("write"),
                                           InstanceMethod<&JsIo::consume>("consume"),
                                           InstanceMethod<&JsIo::set_option>("setOption"),
                                           InstanceMethod<&JsIo::cancel>("cancel"),
                                           InstanceMethod<&JsIo::close_handle>("close"),
                                           InstanceMethod<&JsIo::stats>("stats"),
                                           InstanceMethod<&JsIo::ref>("ref"),
                                           InstanceMethod<&JsIo::unref>("unref"),
                                           InstanceMethod<&JsIo::shut_down>("shutDown")});
  JsState::of(env).io_class = Napi::Persistent(made);
  exports.Set("openIo", Napi::Function::New<&JsIo::open>(env, "openIo"));
}

JsIo::JsIo(const Napi::CallbackInfo& info)
    : ObjectWrap(info), io_(std::exchange(JsState::of(info.Env()).new_io, nullptr)) {
  if (!io_) throw Napi::TypeError::New(info.Env(), "an IoHandle comes from openIo()");
}

Napi::Value JsIo::open(const Napi::CallbackInfo& info) {
  const auto from = need_object(info[0], "options");
  const auto name = need_string(from.Get("backend"), "backend");
  if (name != "any" && name != "io_uring" && name != "epoll")
    throw Napi::TypeError::New(info.Env(), "backend must be any, io_uring or epoll");
  const auto choice = name == "any" ? io::Choice::any : name == "io_uring" ? io::Choice::uring : io::Choice::epoll;
  auto& state = JsState::of(info.Env());
  auto events = std::make_unique<JsIoEvents>(from);
  state.new_io = guarded(info.Env(), [&] { return io::Io::create(state.loop(), choice, std::move(events)); });
  return state.io_class.New({});
}

Napi::Value JsIo::listen(const Napi::CallbackInfo& info) {
  const Place at = need_place(info[0]);
  const auto backlog = static_cast<int>(need_uint32(info[1], "backlog", 1, 65535));
  const auto window = need_uint32(info[2], "window", 1, 1 << 20);
  const auto handle = io_->next_handle(), id = io_->next_operation();
  io_->post([=](io::Driver& driver) { driver.listen(handle, id, at.address, at.bytes, backlog, window); });
  return operation(info, handle, id);
}

Napi::Value JsIo::connect(const Napi::CallbackInfo& info) {
  const Place to = need_place(info[0]);
  const auto deadline = need_deadline(info[1]);
  const auto handle = io_->next_handle(), id = io_->next_operation();
  io_->post([=](io::Driver& driver) { driver.connect(handle, id, to.address, to.bytes, deadline); });
  return operation(info, handle, id);
}

Napi::Value JsIo::open_file(const Napi::CallbackInfo& info) {
  const auto path = need_string(info[0], "path");
  const auto flags = static_cast<int>(need_uint32(info[1], "flags", 0, INT32_MAX));
  const auto mode = need_uint32(info[2], "mode", 0, 07777);
  const auto deadline = need_deadline(info[3]);
  const auto opener = [=] {
    io::Opened opened;
    // O_NONBLOCK: a pipe without a writer must not hold up a worker.
    opened.fd = std::make_shared<UniqueFd>(::open(path.c_str(), flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, mode));
    opened.error = *opened.fd ? 0 : errno;
    return opened;
  };
  return open_by(info, io::Handle::Type::file, opener, deadline);
}

Napi::Value JsIo::open_by(const Napi::CallbackInfo& info, io::Handle::Type type, io::Opener opener,
                          io::Clock::time_point deadline) {
  const auto handle = io_->next_handle(), id = io_->next_operation();
  io_->post([=](io::Driver& driver) { driver.open(handle, id, type, opener, deadline); });
  return operation(info, handle, id);
}

Napi::Value JsIo::datagrams(const Napi::CallbackInfo& info) {
  const Place at = info[0].IsNull() ? Place{} : need_place(info[0]);
  const auto handle = io_->next_handle(), id = io_->next_operation();
  io_->post([=](io::Driver& driver) { driver.datagrams(handle, id, at.address, at.bytes); });
  return operation(info, handle, id);
}

Napi::Value JsIo::send(const Napi::CallbackInfo& info) {
  const auto handle = need_integer(info[0], "handle");
  auto bytes = need_payload(info[1]);
  const auto deadline = need_deadline(info[2]);
  const auto id = io_->next_operation();
  io_->post([=, bytes = std::move(bytes)](io::Driver& driver) { driver.send(handle, id, bytes, deadline); });
  return operation(info, id);
}

Napi::Value JsIo::shut(const Napi::CallbackInfo& info) {
  const auto handle = need_integer(info[0], "handle");
  const auto id = io_->next_operation();
  io_->post([=](io::Driver& driver) { driver.shut(handle, id); });
  return operation(info, id);
}

Napi::Value JsIo::read(const Napi::CallbackInfo& info) {
  const auto handle = need_integer(info[0], "handle");
  const auto offset = need_integer(info[1], "position");
  const auto size = need_uint32(info[2], "length", 0, 1 << 26);
  const auto deadline = need_deadline(info[3]);
  const auto id = io_->next_operation();
  io_->post([=](io::Driver& driver) { driver.read(handle, id, offset, size, deadline); });
  return operation(info, id);
}

Napi::Value JsIo::write(const Napi::CallbackInfo& info) {
  const auto handle = need_integer(info[0], "handle");
  const auto offset = need_integer(info[1], "position");
  auto bytes = need_payload(info[2]);
  const auto deadline = need_deadline(info[3]);
  const auto id = io_->next_operation();
  io_->post([=, bytes = std::move(bytes)](io::Driver& driver) { driver.write(handle, id, offset, bytes, deadline); });
  return operation(info, id);
}

void JsIo::consume(const Napi::CallbackInfo& info) {
  const auto handle = need_integer(info[0], "handle");
  const auto count = need_integer(info[1], "count");
  io_->post([=](io::Driver& driver) { driver.consume(handle, count); });
}

void JsIo::set_option(const Napi::CallbackInfo& info) {
  const auto handle = need_integer(info[0], "handle");
  const auto name = need_string(info[1], "option");
  const auto value = static_cast<int>(need_uint32(info[2], "value", 0, INT32_MAX));
  if (name != "sendBuffer" && name != "receiveBuffer")
    throw Napi::TypeError::New(info.Env(), "option must be sendBuffer or receiveBuffer");
  const int option = name == "sendBuffer" ? SO_SNDBUF : SO_RCVBUF;
  io_->post([=](io::Driver& driver) { driver.set_option(handle, option, value); });
}

void JsIo::cancel(const Napi::CallbackInfo& info) {
  const auto id = need_integer(info[0], "operation");
  io_->post([=](io::Driver& driver) { driver.cancel(id); });
}

Napi::Value JsIo::close_handle(const Napi::CallbackInfo& info) {
  const auto handle = need_integer(info[0], "handle");
  const auto id = io_->next_operation();
  io_->post([=](io::Driver& driver) { driver.close(handle, id); });
  return operation(info, id);
}

Napi::Value JsIo::stats(const Napi::CallbackInfo& info) {
  const io::Counters& counters = io_->counters();
  auto made = Napi::Object::New(info.Env());
  const auto set = [&](const char* name, const std::atomic<std::uint64_t>& value) {
    made.Set(name, static_cast<double>(value.load(std::memory_order_relaxed)));
  };
  set("operations", counters.operations);
  set("bytesIn", counters.bytes_in);
  set("bytesOut", counters.bytes_out);
  set("wakeups", counters.wakeups);
  set("shortages", counters.shortages);
  set("open", counters.handles);
  set("fixedFiles", counters.fixed_files);
  return made;
}

}  // namespace pyisolate
