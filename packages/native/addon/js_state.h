#pragma once

#include <napi.h>

#include <memory>

#include "loop.h"

namespace pyisolate {

class Cell;
class Zygote;
namespace io {
class Io;
}

// What the addon keeps per Node environment.
class JsState {
 public:
  static JsState& of(Napi::Env env) { return *env.GetInstanceData<JsState>(); }

  explicit JsState(Napi::Env env);

  // Made when the first zygote is launched: merely loading the addon costs nothing.
  std::shared_ptr<Loop> loop();
  // JavaScript runs between the two; microtasks run at the end. They nest.
  void enter();
  void leave();

  Napi::FunctionReference cell_class;
  Napi::FunctionReference zygote_class;
  Napi::FunctionReference io_class;
  Napi::FunctionReference system_error;
  Napi::FunctionReference key_restored_error;
  // Handed to the constructor that is being called; empty when JavaScript calls one by itself.
  std::shared_ptr<Cell> new_cell;
  std::shared_ptr<Zygote> new_zygote;
  std::shared_ptr<io::Io> new_io;

 private:
  void shut_down(napi_async_cleanup_hook_handle hook);

  napi_env env_;
  std::shared_ptr<Loop> loop_;
  napi_ref resource_ = nullptr;
  napi_async_context context_ = nullptr;
  napi_handle_scope handles_ = nullptr;
  napi_callback_scope callbacks_ = nullptr;
  int depth_ = 0;
};

}  // namespace pyisolate
