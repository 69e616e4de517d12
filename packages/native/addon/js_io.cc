#include "js_io.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cmath>
#include <cstring>

#include "broker/address.h"
#include "broker/services.h"
#include "js_barrier.h"
#include "js_cell.h"

namespace pyisolate {
namespace {

constexpr double kMostInteger = 9007199254740991.0;

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

std::uint64_t need_integer(const Napi::Value& value, const char* what) {
  const double number = need_number(value, what);
  if (!(number >= 0 && number <= kMostInteger && number == std::floor(number)))
    throw Napi::TypeError::New(value.Env(), std::string(what) + " must be an integer in range");
  return static_cast<std::uint64_t>(number);
}

// In milliseconds from now; Infinity for none.
io::Clock::time_point need_deadline(const Napi::Value& value) {
  const double ms = need_number(value, "timeout");
  if (std::isnan(ms) || ms < 0) throw Napi::TypeError::New(value.Env(), "timeout must not be negative");
  if (ms > 1e12) return io::kNever;
  return io::Clock::now() + std::chrono::microseconds(static_cast<std::int64_t>(ms * 1000));
}

std::vector<std::uint8_t> need_bytes(const Napi::Value& value) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array)
    throw Napi::TypeError::New(value.Env(), "bytes must be a Uint8Array");
  const auto bytes = value.As<Napi::Uint8Array>();
  return {bytes.Data(), bytes.Data() + bytes.ByteLength()};
}

struct Place {
  sockaddr_storage address{};
  socklen_t bytes = 0;
};

// {host, port} with a number for a host, or {path}; a leading @ makes that abstract.
Place need_place(const Napi::Value& value) {
  const auto from = need_object(value, "address");
  Place place;
  if (from.Has("path")) {
    const auto path = need_string(from.Get("path"), "path");
    auto& to = reinterpret_cast<sockaddr_un&>(place.address);
    if (path.empty() || path.size() >= sizeof to.sun_path)
      throw Napi::TypeError::New(value.Env(), "path must have 1 to 107 bytes");
    to.sun_family = AF_UNIX;
    std::memcpy(to.sun_path, path.data(), path.size());
    const bool abstract = path[0] == '@';
    if (abstract) to.sun_path[0] = '\0';
    place.bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + (abstract ? 0 : 1));
    return place;
  }
  const auto parsed = broker::parse_address(need_string(from.Get("host"), "host"));
  if (!parsed) throw Napi::TypeError::New(value.Env(), "host must be an IPv4 or IPv6 address");
  const auto port = htons(static_cast<std::uint16_t>(need_uint32(from.Get("port"), "port", 0, 65535)));
  if (parsed->family == 4) {
    auto& to = reinterpret_cast<sockaddr_in&>(place.address);
    to.sin_family = AF_INET, to.sin_port = port;
    std::memcpy(&to.sin_addr, parsed->bytes.data(), 4);
    place.bytes = sizeof to;
  } else {
    auto& to = reinterpret_cast<sockaddr_in6&>(place.address);
    to.sin6_family = AF_INET6, to.sin6_port = port;
    std::memcpy(&to.sin6_addr, parsed->bytes.data(), 16);
    place.bytes = sizeof to;
  }
  return place;
}

// What a sandbox asks for, judged as a call of its own: EACCES for one without a policy, EAGAIN for one that has had
// its turns.
template <typename Ask>
io::Opener judged(const std::shared_ptr<broker::Client>& client, Ask&& ask) {
  const auto asking = client ? broker::take_turn(client) : nullptr;
  return [asking, error = client ? EAGAIN : EACCES, ask = std::forward<Ask>(ask)] {
    io::Opened opened;
    opened.error = error;
    if (!asking) return opened;
    auto service = ask(*asking);
    opened.error = service.error;
    opened.fd = std::move(service.fd);
    opened.value = service.size;
    opened.peer = service.peer;
    opened.peer_bytes = service.peer_bytes;
    opened.hold = std::move(service.hold);
    return opened;
  };
}

Napi::Value number(const Napi::CallbackInfo& info, std::uint64_t value) {
  return Napi::Number::New(info.Env(), static_cast<double>(value));
}

Napi::Value both(const Napi::CallbackInfo& info, std::uint64_t handle, std::uint64_t operation) {
  auto made = Napi::Array::New(info.Env(), 2);
  made.Set(0u, static_cast<double>(handle));
  made.Set(1u, static_cast<double>(operation));
  return made;
}

}  // namespace

void JsIo::define(Napi::Env env, Napi::Object exports) {
  const Napi::Function made = DefineClass(
      env, "IoHandle",
      {InstanceAccessor<&JsIo::backend>("backend"), InstanceAccessor<&JsIo::refusal>("refusal"),
       InstanceMethod<&JsIo::listen>("listen"), InstanceMethod<&JsIo::connect>("connect"),
       InstanceMethod<&JsIo::open_file>("openFile"), InstanceMethod<&JsIo::open_for>("openFor"),
       InstanceMethod<&JsIo::connect_for>("connectFor"), InstanceMethod<&JsIo::send>("send"),
       InstanceMethod<&JsIo::shut>("shut"), InstanceMethod<&JsIo::read>("read"), InstanceMethod<&JsIo::write>("write"),
       InstanceMethod<&JsIo::consume>("consume"), InstanceMethod<&JsIo::set_option>("setOption"),
       InstanceMethod<&JsIo::cancel>("cancel"), InstanceMethod<&JsIo::close_handle>("close"),
       InstanceMethod<&JsIo::stats>("stats"), InstanceMethod<&JsIo::ref>("ref"), InstanceMethod<&JsIo::unref>("unref"),
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
  return both(info, handle, id);
}

Napi::Value JsIo::connect(const Napi::CallbackInfo& info) {
  const Place to = need_place(info[0]);
  const auto deadline = need_deadline(info[1]);
  const auto handle = io_->next_handle(), id = io_->next_operation();
  io_->post([=](io::Driver& driver) { driver.connect(handle, id, to.address, to.bytes, deadline); });
  return both(info, handle, id);
}

Napi::Value JsIo::open_file(const Napi::CallbackInfo& info) {
  const auto path = need_string(info[0], "path");
  const auto flags = static_cast<int>(need_uint32(info[1], "flags", 0, INT32_MAX));
  const auto mode = need_uint32(info[2], "mode", 0, 07777);
  const auto deadline = need_deadline(info[3]);
  const auto handle = io_->next_handle(), id = io_->next_operation();
  auto opener = [=] {
    io::Opened opened;
    // O_NONBLOCK: a pipe without a writer must not hold up a worker.
    opened.fd = std::make_shared<UniqueFd>(::open(path.c_str(), flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, mode));
    opened.error = *opened.fd ? 0 : errno;
    return opened;
  };
  io_->post([=](io::Driver& driver) { driver.open(handle, id, io::Handle::Type::file, opener, deadline); });
  return both(info, handle, id);
}

Napi::Value JsIo::open_for(const Napi::CallbackInfo& info) {
  const auto client = JsCell::need_cell(info[0]).asking();
  const auto path = need_string(info[1], "path");
  const auto flags = need_uint32(info[2], "flags", 0, INT32_MAX);
  const auto mode = need_uint32(info[3], "mode", 0, 07777);
  const auto deadline = need_deadline(info[4]);
  const auto handle = io_->next_handle(), id = io_->next_operation();
  const auto opener =
      judged(client, [=](broker::Client& asking) { return broker::open_service(asking, path, flags, mode); });
  io_->post([=](io::Driver& driver) { driver.open(handle, id, io::Handle::Type::file, opener, deadline); });
  return both(info, handle, id);
}

Napi::Value JsIo::connect_for(const Napi::CallbackInfo& info) {
  const auto client = JsCell::need_cell(info[0]).asking();
  const Place to = need_place(info[1]);
  const auto deadline = need_deadline(info[2]);
  const auto handle = io_->next_handle(), id = io_->next_operation();
  const auto opener =
      judged(client, [=](broker::Client& asking) { return broker::connect_service(asking, to.address, to.bytes); });
  io_->post([=](io::Driver& driver) { driver.open(handle, id, io::Handle::Type::stream, opener, deadline); });
  return both(info, handle, id);
}

Napi::Value JsIo::send(const Napi::CallbackInfo& info) {
  const auto handle = need_integer(info[0], "handle");
  auto bytes = need_bytes(info[1]);
  const auto deadline = need_deadline(info[2]);
  const auto id = io_->next_operation();
  io_->post([=, bytes = std::move(bytes)](io::Driver& driver) { driver.send(handle, id, bytes, deadline); });
  return number(info, id);
}

Napi::Value JsIo::shut(const Napi::CallbackInfo& info) {
  const auto handle = need_integer(info[0], "handle");
  const auto id = io_->next_operation();
  io_->post([=](io::Driver& driver) { driver.shut(handle, id); });
  return number(info, id);
}

Napi::Value JsIo::read(const Napi::CallbackInfo& info) {
  const auto handle = need_integer(info[0], "handle");
  const auto offset = need_integer(info[1], "position");
  const auto size = need_uint32(info[2], "length", 0, 1 << 26);
  const auto deadline = need_deadline(info[3]);
  const auto id = io_->next_operation();
  io_->post([=](io::Driver& driver) { driver.read(handle, id, offset, size, deadline); });
  return number(info, id);
}

Napi::Value JsIo::write(const Napi::CallbackInfo& info) {
  const auto handle = need_integer(info[0], "handle");
  const auto offset = need_integer(info[1], "position");
  auto bytes = need_bytes(info[2]);
  const auto deadline = need_deadline(info[3]);
  const auto id = io_->next_operation();
  io_->post([=, bytes = std::move(bytes)](io::Driver& driver) { driver.write(handle, id, offset, bytes, deadline); });
  return number(info, id);
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
  return number(info, id);
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
