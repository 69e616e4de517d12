#include "js_zygote.h"

#include "js_barrier.h"
#include "js_cell.h"

namespace pyisolate {
namespace {

class JsZygoteEvents final : public ZygoteEvents {
 public:
  explicit JsZygoteEvents(const Napi::Object& listeners) : env_(listeners.Env()), state_(JsState::of(env_)) {
    for (const char* name : {"onReady", "onFailed", "onExit"}) need_function(listeners, name);
    napi_create_reference(env_, listeners, 1, &listeners_);
  }
  ~JsZygoteEvents() override { napi_delete_reference(env_, listeners_); }

  void ready(const std::string& report) override {
    call("onReady", [&](const JsValues& make) { return std::vector{make.text(report)}; });
  }
  void failed(int error, const std::string& text) override {
    call("onFailed", [&](const JsValues& make) { return std::vector{make.number(error), make.text(text)}; });
  }
  void exited(const ZygoteExit& exit) override {
    call("onExit", [&](const JsValues& make) {
      return std::vector{make.object({{"code", exit.code >= 0 ? make.number(exit.code) : make.null()},
                                      {"signal", exit.signal > 0 ? make.number(exit.signal) : make.null()},
                                      {"stderr", make.text(exit.stderr_tail)}})};
    });
  }

 private:
  template <typename Arguments>
  void call(const char* name, Arguments&& arguments) {
    state_.enter();
    napi_value self = nullptr;
    napi_get_reference_value(env_, listeners_, &self);
    const std::vector<napi_value> list = arguments(JsValues(env_));
    call_listener(env_, self, name, list);
    state_.leave();
  }

  napi_env env_;
  JsState& state_;
  napi_ref listeners_ = nullptr;
};

void choose_form(const Napi::Value& sealed, ZygoteOptions& options) {
  const std::string name = sealed.IsString() ? sealed.ToString().Utf8Value() : "";
  if (!sealed.IsUndefined() && !sealed.IsBoolean() && name != "hybrid" && name != "x25519")
    throw Napi::TypeError::New(sealed.Env(), "sealed must be a boolean, hybrid or x25519");
  options.hybrid_if_had = name.empty();
  if (sealed.IsBoolean() && !sealed.ToBoolean()) options.form = std::nullopt;
  if (name == "hybrid") options.form = seal::Form::hybrid;
}

}  // namespace

void JsZygote::define(Napi::Env env) {
  const Napi::Function made =
      DefineClass(env, "ZygoteHandle",
                  {InstanceAccessor<&JsZygote::pid>("pid"), InstanceMethod<&JsZygote::fork>("fork"),
                   InstanceMethod<&JsZygote::close>("close"), InstanceMethod<&JsZygote::kill>("kill"),
                   InstanceMethod<&JsZygote::ref>("ref"), InstanceMethod<&JsZygote::unref>("unref")});
  JsState::of(env).zygote_class = Napi::Persistent(made);
}

JsZygote::JsZygote(const Napi::CallbackInfo& info)
    : ObjectWrap(info), zygote_(std::exchange(JsState::of(info.Env()).new_zygote, nullptr)) {
  if (!zygote_) throw Napi::TypeError::New(info.Env(), "a ZygoteHandle comes from launchZygote()");
}

Napi::Value JsZygote::launch(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto from = need_object(info[0], "options");
  ZygoteOptions options;
  options.executable = need_string(from.Get("executable"), "executable");
  options.args = need_strings(from, "args");
  options.env = need_strings(from, "env");
  choose_form(from.Get("sealed"), options);
  auto& state = JsState::of(env);
  auto events = std::make_unique<JsZygoteEvents>(from);
  state.new_zygote = guarded(env, [&] { return Zygote::launch(state.loop(), options, std::move(events)); });
  return state.zygote_class.New({});
}

Napi::Value JsZygote::fork(const Napi::CallbackInfo& info) {
  const auto from = need_object(info[0], "options");
  const auto name = need_string(from.Get("mode"), "mode");
  if (name != "process" && name != "interpreter")
    throw Napi::TypeError::New(info.Env(), "mode must be process or interpreter");
  const auto mode = name == "process" ? CellMode::process : CellMode::interpreter;
  const auto options = JsCell::options(from);
  return JsCell::wrap(info.Env(),
                      guarded(info.Env(), [&] { return zygote_->fork(mode, options, JsCell::events(from)); }));
}

}  // namespace pyisolate
