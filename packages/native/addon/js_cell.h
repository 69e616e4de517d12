#pragma once

#include <napi.h>

#include <memory>

#include "cell.h"

namespace pyisolate {

// The JavaScript `CellHandle`.
class JsCell final : public Napi::ObjectWrap<JsCell> {
 public:
  static void define(Napi::Env env);
  static Napi::Object wrap(Napi::Env env, std::shared_ptr<Cell> cell);
  static CellOptions options(const Napi::Object& from);
  // The bytes of a broker table; throws a TypeError.
  static std::shared_ptr<const broker::Table> need_table(const Napi::Value& value);
  static std::unique_ptr<CellEvents> events(const Napi::Object& from);
  // The cell behind a `CellHandle`; throws a TypeError.
  static Cell& need_cell(const Napi::Value& value);

  explicit JsCell(const Napi::CallbackInfo& info);

 private:
  Napi::Value pid(const Napi::CallbackInfo& info);
  Napi::Value guest_thread(const Napi::CallbackInfo& info);
  Napi::Value send(const Napi::CallbackInfo& info);
  Napi::Value usage(const Napi::CallbackInfo& info);
  Napi::Value attach(const Napi::CallbackInfo& info);
  void pause(const Napi::CallbackInfo&) { cell_->pause(); }
  void resume(const Napi::CallbackInfo&) { cell_->resume(); }
  void ref(const Napi::CallbackInfo&) { cell_->ref(); }
  void unref(const Napi::CallbackInfo&) { cell_->unref(); }
  void close(const Napi::CallbackInfo&) { cell_->close(); }
  void interrupt(const Napi::CallbackInfo& info);
  void kill(const Napi::CallbackInfo& info);
  void limit_frames(const Napi::CallbackInfo& info);
  void set_deadline(const Napi::CallbackInfo& info);
  void set_cpu_limit(const Napi::CallbackInfo& info);
  Napi::Value set_policy(const Napi::CallbackInfo& info);
  void learn_name(const Napi::CallbackInfo& info);
  void mark_sockets(const Napi::CallbackInfo& info);
  Napi::Value serve(const Napi::CallbackInfo& info);

  std::shared_ptr<Cell> cell_;
};

}  // namespace pyisolate
