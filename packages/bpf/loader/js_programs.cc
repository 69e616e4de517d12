#include "js_programs.h"

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "barrier.h"
#include "socket_trial.h"

namespace pyisolate::bpf {
namespace {

std::string text(const Napi::Value& value) { return value.As<Napi::String>().Utf8Value(); }

Bytes bytes(const Napi::Value& value) {
  auto array = value.As<Napi::Uint8Array>();
  return {array.Data(), array.ByteLength()};
}

uint32_t number(const Napi::Value& value) { return value.As<Napi::Number>().Uint32Value(); }

Napi::Value copy(Napi::Env env, const void* data, size_t length) {
  return Napi::Buffer<uint8_t>::Copy(env, static_cast<const uint8_t*>(data), length);
}

}  // namespace

Napi::Function JsPrograms::define(Napi::Env env) {
  return DefineClass(
      env, "Programs",
      {InstanceMethod<&JsPrograms::attach>("attach"), InstanceMethod<&JsPrograms::attach_cgroup>("attachCgroup"),
       InstanceMethod<&JsPrograms::pin>("pin"), InstanceMethod<&JsPrograms::update>("update"),
       InstanceMethod<&JsPrograms::remove>("remove"), InstanceMethod<&JsPrograms::lookup>("lookup"),
       InstanceMethod<&JsPrograms::label>("label"), InstanceMethod<&JsPrograms::store_active>("storeActive"),
       InstanceMethod<&JsPrograms::read_sandbox>("readSandbox"),
       InstanceMethod<&JsPrograms::write_sandbox>("writeSandbox"),
       InstanceMethod<&JsPrograms::load_contract>("loadContract"), InstanceMethod<&JsPrograms::drain>("drain"),
       InstanceMethod<&JsPrograms::watch>("watch"), InstanceMethod<&JsPrograms::close>("close"),
       InstanceMethod<&JsPrograms::map_descriptor>("mapDescriptor"),
       InstanceMethod<&JsPrograms::send_to_itself>("sendToItself")});
}

JsPrograms::JsPrograms(const Napi::CallbackInfo& info) : Napi::ObjectWrap<JsPrograms>(info) {
  barrier(info.Env(), [&] {
    std::vector<std::string> without;
    auto names = info[1].As<Napi::Array>();
    for (uint32_t i = 0; i < names.Length(); i++) without.push_back(text(names.Get(i)));
    programs_ = std::make_unique<Programs>(text(info[0]), without);
    if (programs_->has_map("events")) events_ = std::make_unique<Events>(programs_->map_descriptor("events"));
  });
}

Programs& JsPrograms::programs(Napi::Env env) const {
  if (!programs_) throw Napi::Error::New(env, "closed");
  return *programs_;
}

void JsPrograms::attach(const Napi::CallbackInfo& info) {
  barrier(info.Env(), [&] { programs(info.Env()).attach(); });
}

void JsPrograms::attach_cgroup(const Napi::CallbackInfo& info) {
  barrier(info.Env(), [&] { programs(info.Env()).attach_cgroup(text(info[0]), static_cast<int>(number(info[1]))); });
}

void JsPrograms::pin(const Napi::CallbackInfo& info) {
  barrier(info.Env(), [&] { programs(info.Env()).pin(text(info[0])); });
}

void JsPrograms::update(const Napi::CallbackInfo& info) {
  barrier(info.Env(), [&] { programs(info.Env()).update(text(info[0]), bytes(info[1]), bytes(info[2])); });
}

void JsPrograms::remove(const Napi::CallbackInfo& info) {
  barrier(info.Env(), [&] { programs(info.Env()).remove(text(info[0]), bytes(info[1])); });
}

Napi::Value JsPrograms::lookup(const Napi::CallbackInfo& info) {
  return barrier(info.Env(), [&] {
    auto value = programs(info.Env()).lookup(text(info[0]), bytes(info[1]));
    return copy(info.Env(), value.data(), value.size());
  });
}

Napi::Value JsPrograms::label(const Napi::CallbackInfo& info) {
  return barrier(info.Env(), [&] {
    const pid_t thread = static_cast<pid_t>(number(info[0]));
    return Napi::Boolean::New(info.Env(), programs(info.Env()).label(thread, bytes(info[1]), info[2].ToBoolean()));
  });
}

void JsPrograms::store_active(const Napi::CallbackInfo& info) {
  barrier(info.Env(), [&] {
    uint64_t word = uint64_t{number(info[2])} << 32 | number(info[1]);
    programs(info.Env()).store_active(number(info[0]), word);
  });
}

Napi::Value JsPrograms::read_sandbox(const Napi::CallbackInfo& info) {
  return barrier(info.Env(), [&] {
    pyi_sandbox sandbox = programs(info.Env()).read_sandbox(number(info[0]));
    return copy(info.Env(), &sandbox, sizeof(sandbox));
  });
}

void JsPrograms::write_sandbox(const Napi::CallbackInfo& info) {
  barrier(info.Env(), [&] {
    Bytes value = bytes(info[1]);
    pyi_sandbox sandbox{};
    if (value.size() != sizeof(sandbox)) fail("sandbox", EINVAL);
    memcpy(&sandbox, value.data(), sizeof(sandbox));
    programs(info.Env()).write_sandbox(number(info[0]), sandbox);
  });
}

void JsPrograms::load_contract(const Napi::CallbackInfo& info) {
  barrier(info.Env(), [&] {
    Contract contract{bytes(info[3]), {}};
    auto relocations = info[4].As<Napi::Array>();
    for (uint32_t i = 0; i < relocations.Length(); i++) {
      auto relocation = relocations.Get(i).As<Napi::Object>();
      contract.relocations.emplace_back(number(relocation.Get("at")), text(relocation.Get("map")));
    }
    programs(info.Env()).load_contract(text(info[0]), text(info[1]), number(info[2]), contract);
  });
}

Napi::Value JsPrograms::drain(const Napi::CallbackInfo& info) {
  return barrier(info.Env(), [&]() -> Napi::Value {
    programs(info.Env());
    if (!events_) fail("find events", ENOENT);
    auto records = events_->drain(number(info[0]));
    auto list = Napi::Array::New(info.Env(), records.size());
    for (uint32_t i = 0; i < records.size(); i++) list.Set(i, copy(info.Env(), records[i].data(), records[i].size()));
    return list;
  });
}

void JsPrograms::watch(const Napi::CallbackInfo& info) {
  barrier(info.Env(), [&] {
    const int map = programs(info.Env()).map_descriptor("events");
    watch_.reset();
    watch_ = std::make_unique<RingWatch>(info.Env(), map, info[0].As<Napi::Function>());
  });
}

Napi::Value JsPrograms::map_descriptor(const Napi::CallbackInfo& info) {
  return barrier(info.Env(),
                 [&] { return Napi::Number::New(info.Env(), programs(info.Env()).map_descriptor(text(info[0]))); });
}

void JsPrograms::send_to_itself(const Napi::CallbackInfo& info) {
  barrier(info.Env(), [&] {
    const Bytes value = bytes(info[0]);
    if (value.size() != sizeof(pyi_socket)) fail("mark a socket", EINVAL);
    bpf::send_to_itself(programs(info.Env()).map_descriptor("sockets"), value);
  });
}

void JsPrograms::close(const Napi::CallbackInfo&) {
  watch_.reset();
  events_.reset();
  programs_.reset();
}

}  // namespace pyisolate::bpf
