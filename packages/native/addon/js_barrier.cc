#include "js_barrier.h"

#include <cmath>

namespace pyisolate {
namespace {
[[noreturn]] void refuse(Napi::Env env, const std::string& text) { throw Napi::TypeError::New(env, text); }
}  // namespace

std::uint32_t need_uint32(const Napi::Value& value, const char* what, double low, double high) {
  const double number = need_number(value, what);
  if (!(number >= low && number <= high) || number != std::floor(number)) {
    refuse(value.Env(), std::string(what) + " must be an integer in range");
  }
  return static_cast<std::uint32_t>(number);
}

double need_number(const Napi::Value& value, const char* what) {
  if (!value.IsNumber()) refuse(value.Env(), std::string(what) + " must be a number");
  return value.As<Napi::Number>().DoubleValue();
}

std::string need_string(const Napi::Value& value, const char* what) {
  if (!value.IsString()) refuse(value.Env(), std::string(what) + " must be a string");
  std::string text = value.As<Napi::String>().Utf8Value();
  if (text.find('\0') != std::string::npos) refuse(value.Env(), std::string(what) + " must not contain NUL");
  return text;
}

Napi::Object need_object(const Napi::Value& value, const char* what) {
  if (!value.IsObject()) refuse(value.Env(), std::string(what) + " must be an object");
  return value.As<Napi::Object>();
}

std::span<const std::uint8_t> need_bytes(const Napi::Value& value, const char* what) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array)
    refuse(value.Env(), std::string(what) + " must be a Uint8Array");
  const auto bytes = value.As<Napi::Uint8Array>();
  return {bytes.Data(), bytes.ByteLength()};
}

Napi::Function need_function(const Napi::Object& from, const char* name) {
  const Napi::Value value = from.Get(name);
  if (!value.IsFunction()) refuse(from.Env(), std::string(name) + " must be a function");
  return value.As<Napi::Function>();
}

std::vector<std::string> need_strings(const Napi::Object& from, const char* name) {
  const Napi::Value value = from.Get(name);
  if (!value.IsArray()) refuse(from.Env(), std::string(name) + " must be an array of strings");
  const auto array = value.As<Napi::Array>();
  std::vector<std::string> list;
  for (std::uint32_t i = 0; i < array.Length(); ++i) list.push_back(need_string(array.Get(i), name));
  return list;
}

void call_listener(napi_env env, napi_value self, napi_value function, std::size_t count, const napi_value* arguments) {
  if (napi_call_function(env, self, function, count, arguments, nullptr) != napi_pending_exception) return;
  napi_value error = nullptr;
  if (napi_get_and_clear_last_exception(env, &error) == napi_ok) napi_fatal_exception(env, error);
}

void call_listener(napi_env env, napi_value self, const char* name, std::span<const napi_value> arguments) {
  napi_value function = nullptr;
  napi_valuetype type = napi_undefined;
  if (napi_get_named_property(env, self, name, &function) != napi_ok) return;
  if (napi_typeof(env, function, &type) != napi_ok || type != napi_function) return;
  call_listener(env, self, function, arguments.size(), arguments.data());
}

napi_value JsValues::number(double value) const {
  napi_value made = nullptr;
  napi_create_double(env_, value, &made);
  return made;
}

napi_value JsValues::text(std::string_view value) const {
  napi_value made = nullptr;
  napi_create_string_utf8(env_, value.data(), value.size(), &made);
  return made;
}

napi_value JsValues::boolean(bool value) const {
  napi_value made = nullptr;
  napi_get_boolean(env_, value, &made);
  return made;
}

napi_value JsValues::null() const {
  napi_value made = nullptr;
  napi_get_null(env_, &made);
  return made;
}

napi_value JsValues::object(std::initializer_list<std::pair<const char*, napi_value>> fields) const {
  napi_value made = nullptr;
  napi_create_object(env_, &made);
  for (const auto& [name, value] : fields) napi_set_named_property(env_, made, name, value);
  return made;
}

}  // namespace pyisolate
