#include "js_state.h"

#include "system_failure.h"

namespace pyisolate {

JsState::JsState(Napi::Env env) : env_(env) {
  Napi::HandleScope scope(env);
  const Napi::Object resource = Napi::Object::New(env);
  napi_async_init(env, resource, Napi::String::New(env, "pyisolate"), &context_);
  napi_create_reference(env, resource, 1, &resource_);
}

std::shared_ptr<Loop> JsState::loop() {
  if (loop_) return loop_;
  uv_loop_s* uv = nullptr;
  if (napi_get_uv_event_loop(env_, &uv) != napi_ok) throw SystemFailure("napi_get_uv_event_loop", ENOSYS);
  auto loop = Loop::create(uv);
  // Runs when the environment ends, before its loop does; the hook counts as done once the handles are closed.
  const auto hook = [](napi_async_cleanup_hook_handle handle, void* self) {
    static_cast<JsState*>(self)->shut_down(handle);
  };
  if (napi_add_async_cleanup_hook(env_, hook, this, nullptr) != napi_ok) {
    loop->shut_down([] {});
    throw SystemFailure("napi_add_async_cleanup_hook", ENOMEM);
  }
  return loop_ = loop;
}

void JsState::shut_down(napi_async_cleanup_hook_handle hook) {
  const auto loop = std::move(loop_);
  if (context_ != nullptr) napi_async_destroy(env_, std::exchange(context_, nullptr));
  if (resource_ != nullptr) napi_delete_reference(env_, std::exchange(resource_, nullptr));
  loop->shut_down([hook] { napi_remove_async_cleanup_hook(hook); });
}

void JsState::enter() {
  if (depth_++ > 0) return;
  napi_open_handle_scope(env_, &handles_);
  napi_value resource = nullptr;
  napi_get_reference_value(env_, resource_, &resource);
  if (napi_open_callback_scope(env_, resource, context_, &callbacks_) != napi_ok) callbacks_ = nullptr;
}

void JsState::leave() {
  if (--depth_ > 0) return;
  if (callbacks_ != nullptr) napi_close_callback_scope(env_, std::exchange(callbacks_, nullptr));
  napi_close_handle_scope(env_, handles_);
}

}  // namespace pyisolate
