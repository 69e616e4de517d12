#include "js_barrier.h"
#include "js_cell.h"

namespace pyisolate {
namespace {

// Calls the listeners in a cell's options object.
class JsCellEvents final : public CellEvents {
 public:
  explicit JsCellEvents(const Napi::Object& listeners) : env_(listeners.Env()), state_(JsState::of(env_)), make_(env_) {
    for (const char* name : {"onForked", "onForkFailed", "onDrain", "onCorrupt", "onExit"})
      need_function(listeners, name);
    napi_create_reference(env_, need_function(listeners, "onFrame"), 1, &on_frame_);
    for (const char* name : {"onDenied", "onRefused"}) need_function(listeners, name);
    napi_create_reference(env_, listeners, 1, &listeners_);
  }
  ~JsCellEvents() override {
    napi_delete_reference(env_, on_frame_);
    napi_delete_reference(env_, listeners_);
  }

  void begin_batch() override { state_.enter(); }
  void end_batch() override { state_.leave(); }

  // A buffer of Node's own: memory of ours handed over is refused by some embedders (Electron).
  std::uint8_t* allocate(std::size_t bytes) override {
    void* data = nullptr;
    failed_ = napi_create_buffer(env_, bytes, &data, &payload_) != napi_ok;
    if (failed_) return nullptr;
    return static_cast<std::uint8_t*>(data);
  }

  bool deliver(std::uint8_t type, std::uint64_t id) override {
    if (failed_) return false;
    napi_value function = nullptr;
    napi_value arguments[3] = {nullptr, nullptr, payload_};
    napi_get_reference_value(env_, on_frame_, &function);
    napi_create_uint32(env_, type, &arguments[0]);
    napi_create_double(env_, static_cast<double>(id), &arguments[1]);
    call_listener(env_, self(), function, 3, arguments);
    return true;
  }

  void forked(pid_t pid) override { call("onForked", {make_.number(pid)}); }
  void fork_failed(int error, const std::string& text) override {
    call("onForkFailed", {make_.number(error), make_.text(text)});
  }
  void drained() override { call("onDrain", {}); }
  void corrupt(const char* what) override { call("onCorrupt", {make_.text(what)}); }

  void denied(const broker::Event& event) override {
    call("onDenied", {make_.number(static_cast<double>(event.operation)), make_.text(event.object),
                      make_.number(event.rule), make_.number(event.generation), make_.number(event.error),
                      make_.number(event.lost), make_.boolean(event.allowed), make_.boolean(event.kill)});
  }

  void refused(std::uint32_t limit, std::uint32_t count) override {
    call("onRefused", {make_.number(limit), make_.number(count)});
  }

  void exited(const CellExit& exit) override {
    const ProcessExit& process = exit.process;
    call("onExit", {make_.object({
                       {"code", process.code >= 0 ? make_.number(process.code) : make_.null()},
                       {"signal", process.signal > 0 ? make_.number(process.signal) : make_.null()},
                       {"killedBy", exit.killed ? make_.text(exit.killed_by) : make_.null()},
                       {"cellKilledBy", exit.cell_killed ? make_.text(exit.cell_killed_by) : make_.null()},
                       {"endedAlone", make_.boolean(exit.ended_alone)},
                       {"userMs", make_.number(static_cast<double>(process.user_us) / 1e3)},
                       {"systemMs", make_.number(static_cast<double>(process.system_us) / 1e3)},
                       {"maxRssKiB", make_.number(static_cast<double>(process.max_rss_kib))},
                   })});
  }

 private:
  void call(const char* name, std::initializer_list<napi_value> arguments) {
    call_listener(env_, self(), name, std::span(arguments.begin(), arguments.size()));
  }
  napi_value self() {
    napi_value value = nullptr;
    napi_get_reference_value(env_, listeners_, &value);
    return value;
  }

  napi_env env_;
  JsState& state_;
  JsValues make_;
  napi_ref listeners_ = nullptr;
  napi_ref on_frame_ = nullptr;
  napi_value payload_ = nullptr;
  bool failed_ = false;
};

}  // namespace

std::unique_ptr<CellEvents> JsCell::events(const Napi::Object& from) { return std::make_unique<JsCellEvents>(from); }

}  // namespace pyisolate
