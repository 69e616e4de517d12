#include <napi.h>

#include "aead/js_aead.h"
#include "aead/js_noise.h"
#include "js_barrier.h"
#include "js_broker.h"
#include "js_cell.h"
#include "js_io.h"
#include "js_zygote.h"
#include "seal/secret.h"

namespace pyisolate {
namespace {

constexpr int kProtocol = 1;  // the digit of kSegmentMagic
static_assert((kSegmentMagic & 0xff) == '0' + kProtocol);

Napi::Value set_error_classes(const Napi::CallbackInfo& info) {
  const auto classes = need_object(info[0], "classes");
  JsState::of(info.Env()).system_error = Napi::Persistent(need_function(classes, "SystemError"));
  JsState::of(info.Env()).key_restored_error = Napi::Persistent(need_function(classes, "KeyRestoredError"));
  return info.Env().Undefined();
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  seal::hide_secrets();
  env.SetInstanceData(new JsState(env));
  JsCell::define(env);
  JsZygote::define(env);
  JsIo::define(env, exports);
  define_broker(env, exports);
  JsAeadKey::define(env, exports);
  define_noise(env, exports);
  exports.Set("launchZygote", Napi::Function::New<&JsZygote::launch>(env, "launchZygote"));
  exports.Set("setErrorClasses", Napi::Function::New<&set_error_classes>(env, "setErrorClasses"));
  auto versions = Napi::Object::New(env);
  versions.Set("napi", NAPI_VERSION);
  versions.Set("protocol", kProtocol);
  exports.Set("versions", versions);
  return exports;
}

}  // namespace

// The macro below wants a plain name.
static Napi::Object init_addon(Napi::Env env, Napi::Object exports) { return init(env, exports); }
NODE_API_MODULE(pyisolate_native, init_addon)

}  // namespace pyisolate
