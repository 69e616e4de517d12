#pragma once

#include <napi.h>

#include <memory>

#include "io/io.h"

namespace pyisolate {

// The JavaScript `IoHandle`: an I/O thread. Operations return their number; `onReport` tells the rest.
class JsIo final : public Napi::ObjectWrap<JsIo> {
 public:
  static void define(Napi::Env env, Napi::Object exports);
  static Napi::Value open(const Napi::CallbackInfo& info);

  explicit JsIo(const Napi::CallbackInfo& info);

 private:
  Napi::Value backend(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), io_->backend()); }
  Napi::Value refusal(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), io_->refusal()); }
  Napi::Value listen(const Napi::CallbackInfo& info);
  Napi::Value connect(const Napi::CallbackInfo& info);
  Napi::Value open_file(const Napi::CallbackInfo& info);
  Napi::Value open_for(const Napi::CallbackInfo& info);
  Napi::Value connect_for(const Napi::CallbackInfo& info);
  Napi::Value listen_for(const Napi::CallbackInfo& info);
  Napi::Value datagrams(const Napi::CallbackInfo& info);
  Napi::Value datagrams_for(const Napi::CallbackInfo& info);
  Napi::Value send_to(const Napi::CallbackInfo& info);
  Napi::Value judge_again(const Napi::CallbackInfo& info);
  Napi::Value send(const Napi::CallbackInfo& info);
  Napi::Value shut(const Napi::CallbackInfo& info);
  Napi::Value read(const Napi::CallbackInfo& info);
  Napi::Value write(const Napi::CallbackInfo& info);
  Napi::Value close_handle(const Napi::CallbackInfo& info);
  Napi::Value stats(const Napi::CallbackInfo& info);
  void consume(const Napi::CallbackInfo& info);
  void set_option(const Napi::CallbackInfo& info);
  void cancel(const Napi::CallbackInfo& info);
  void ref(const Napi::CallbackInfo&) { io_->ref(); }
  void unref(const Napi::CallbackInfo&) { io_->unref(); }
  void shut_down(const Napi::CallbackInfo&) { io_->shut_down(); }

  // Has the thread open what `opener` opens; gives its handle, and the operation.
  Napi::Value open_by(const Napi::CallbackInfo& info, io::Handle::Type type, io::Opener opener,
                      io::Clock::time_point deadline);

  std::shared_ptr<io::Io> io_;
};

}  // namespace pyisolate
