#include "js_cell.h"

#include <bit>

#include "broker/address.h"
#include "js_barrier.h"

namespace pyisolate {

std::shared_ptr<const broker::Table> JsCell::need_table(const Napi::Value& value) {
  std::string problem;
  auto table = broker::Table::read(need_bytes(value, "table"), problem);
  if (!table) throw Napi::TypeError::New(value.Env(), "not a broker table: " + problem);
  return table;
}

void JsCell::define(Napi::Env env) {
  const Napi::Function made =
      DefineClass(env, "CellHandle",
                  {InstanceAccessor<&JsCell::pid>("pid"), InstanceAccessor<&JsCell::guest_thread>("guestThread"),
                   InstanceMethod<&JsCell::send>("send"), InstanceMethod<&JsCell::pause>("pause"),
                   InstanceMethod<&JsCell::resume>("resume"), InstanceMethod<&JsCell::ref>("ref"),
                   InstanceMethod<&JsCell::unref>("unref"), InstanceMethod<&JsCell::interrupt>("interrupt"),
                   InstanceMethod<&JsCell::kill>("kill"), InstanceMethod<&JsCell::limit_frames>("limitFrames"),
                   InstanceMethod<&JsCell::set_deadline>("setDeadline"),
                   InstanceMethod<&JsCell::set_cpu_limit>("setCpuLimit"), InstanceMethod<&JsCell::usage>("usage"),
                   InstanceMethod<&JsCell::set_policy>("setPolicy"), InstanceMethod<&JsCell::learn_name>("learnName"),
                   InstanceMethod<&JsCell::mark_sockets>("markSockets"), InstanceMethod<&JsCell::serve>("serve"),
                   InstanceMethod<&JsCell::attach>("attach"), InstanceMethod<&JsCell::close>("close")});
  JsState::of(env).cell_class = Napi::Persistent(made);
}

Napi::Object JsCell::wrap(Napi::Env env, std::shared_ptr<Cell> cell) {
  auto& state = JsState::of(env);
  state.new_cell = std::move(cell);
  return state.cell_class.New({});
}

JsCell::JsCell(const Napi::CallbackInfo& info)
    : ObjectWrap(info), cell_(std::exchange(JsState::of(info.Env()).new_cell, nullptr)) {
  if (!cell_) throw Napi::TypeError::New(info.Env(), "a CellHandle comes from fork() or attach()");
}

CellOptions JsCell::options(const Napi::Object& from) {
  CellOptions options;
  options.ring_bytes = need_uint32(from.Get("ringBytes"), "ringBytes", kMinRingBytes, kMaxRingBytes);
  if (!std::has_single_bit(options.ring_bytes))
    throw Napi::TypeError::New(from.Env(), "ringBytes must be a power of two");
  options.max_frame_bytes = need_uint32(from.Get("maxFrameBytes"), "maxFrameBytes", 0, UINT32_MAX);
  const Napi::Value table = from.Get("table");
  if (!table.IsUndefined()) options.table = need_table(table);
  return options;
}

Napi::Value JsCell::set_policy(const Napi::CallbackInfo& info) {
  auto table = need_table(info[0]);
  return Napi::Number::New(info.Env(), cell_->set_policy(std::move(table), info[1].ToBoolean()));
}

void JsCell::learn_name(const Napi::CallbackInfo& info) {
  const auto address = broker::parse_address(need_string(info[0], "address"));
  if (!address) throw Napi::TypeError::New(info.Env(), "address must be an IPv4 or IPv6 address");
  cell_->learn_name(*address, need_string(info[1], "name"));
}

// null: marks are to come.
void JsCell::mark_sockets(const Napi::CallbackInfo& info) {
  auto marks = std::make_shared<broker::SocketMarks>();
  if (info[0].IsNull()) {
    *marks = broker::SocketMarks::awaited();
    return cell_->mark_sockets(std::move(marks));
  }
  if (!info[0].IsArray()) throw Napi::TypeError::New(info.Env(), "marks must be an array");
  const auto list = info[0].As<Napi::Array>();
  for (std::uint32_t i = 0; i < list.Length(); ++i) {
    const auto mark = need_object(list.Get(i), "mark");
    const auto map = need_uint32(mark.Get("map"), "map", 0, INT32_MAX);
    std::string problem;
    if (!marks->add(static_cast<int>(map), need_bytes(mark.Get("value"), "the value of a mark"), problem))
      throw Napi::TypeError::New(info.Env(), "not a socket mark: " + problem);
    if (mark.Get("counted").IsUndefined()) continue;
    const auto counted = need_object(mark.Get("counted"), "counted");
    const auto field = [&](const char* name) { return need_uint32(counted.Get(name), name, 0, INT32_MAX); };
    if (!marks->count_in(static_cast<int>(field("map")), field("index"), field("sentAt"), field("receivedAt"), problem))
      throw Napi::TypeError::New(info.Env(), "not a socket mark: " + problem);
  }
  cell_->mark_sockets(std::move(marks));
}

Cell& JsCell::need_cell(const Napi::Value& value) {
  const auto& made = JsState::of(value.Env()).cell_class;
  if (!value.IsObject() || !value.As<Napi::Object>().InstanceOf(made.Value()))
    throw Napi::TypeError::New(value.Env(), "cell must be a CellHandle");
  return *Unwrap(value.As<Napi::Object>())->cell_;
}

Napi::Value JsCell::serve(const Napi::CallbackInfo& info) {
  auto table = need_table(info[0]);
  return Napi::Number::New(info.Env(), guarded(info.Env(), [&] { return cell_->serve(std::move(table)); }));
}

Napi::Value JsCell::pid(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), cell_->pid()); }

Napi::Value JsCell::guest_thread(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), cell_->guest_thread());
}

Napi::Value JsCell::send(const Napi::CallbackInfo& info) {
  const auto type = need_uint32(info[0], "type", 1, 255);
  const double id = need_number(info[1], "id");
  if (!(id >= 0 && id <= 9007199254740991.0)) throw Napi::TypeError::New(info.Env(), "id must be a safe integer");
  if (!info[2].IsTypedArray()) throw Napi::TypeError::New(info.Env(), "payload must be a Uint8Array");
  napi_typedarray_type kind;
  std::size_t length = 0;
  void* data = nullptr;
  napi_get_typedarray_info(info.Env(), info[2], &kind, &length, &data, nullptr, nullptr);
  if (kind != napi_uint8_array) throw Napi::TypeError::New(info.Env(), "payload must be a Uint8Array");
  if (length > UINT32_MAX) throw Napi::TypeError::New(info.Env(), "payload is longer than a frame can be");
  const bool more = guarded(info.Env(), [&] {
    return cell_->send(static_cast<std::uint8_t>(type), static_cast<std::uint64_t>(id),
                       static_cast<std::uint8_t*>(data), static_cast<std::uint32_t>(length));
  });
  return Napi::Boolean::New(info.Env(), more);
}

Napi::Value JsCell::usage(const Napi::CallbackInfo& info) {
  const ProcessUsage usage = cell_->usage();
  auto object = Napi::Object::New(info.Env());
  object.Set("cpuMs", usage.cpu_ms);
  object.Set("rssKiB", usage.rss_kib);
  object.Set("privateKiB", usage.private_kib);
  return object;
}

Napi::Value JsCell::attach(const Napi::CallbackInfo& info) {
  const auto from = need_object(info[0], "options");
  if (cell_->is_attached()) throw Napi::TypeError::New(info.Env(), "attach() belongs to the shared cell itself");
  const auto wanted = options(from);
  return wrap(info.Env(), guarded(info.Env(), [&] { return cell_->attach(wanted, events(from)); }));
}

void JsCell::interrupt(const Napi::CallbackInfo& info) {
  cell_->interrupt(static_cast<Interrupt>(need_uint32(info[0], "mode", 1, 2)));
}

void JsCell::kill(const Napi::CallbackInfo& info) {
  const auto reason = need_string(info[0], "reason");
  guarded(info.Env(), [&] { cell_->kill(reason); });
}

void JsCell::limit_frames(const Napi::CallbackInfo& info) {
  cell_->limit_frames(need_uint32(info[0], "maxFrameBytes", 0, UINT32_MAX));
}

void JsCell::set_deadline(const Napi::CallbackInfo& info) {
  const auto slot = need_uint32(info[0], "slot", 0, 2);
  const double soft = need_number(info[1], "softMs");
  const double hard = need_number(info[2], "hardMs");
  auto reason = need_string(info[3], "reason");
  guarded(info.Env(), [&] { cell_->set_deadline(slot, soft, hard, std::move(reason)); });
}

void JsCell::set_cpu_limit(const Napi::CallbackInfo& info) {
  const double ms = need_number(info[0], "ms");
  guarded(info.Env(), [&] { cell_->set_cpu_limit(ms); });
}

}  // namespace pyisolate
