#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cell.h"

namespace pyisolate {

struct ZygoteExit {
  int code = -1;
  int signal = 0;
  std::string stderr_tail;
};

class ZygoteEvents {
 public:
  virtual ~ZygoteEvents() = default;
  virtual void ready(const std::string& report) = 0;
  virtual void failed(int error, const std::string& text) = 0;
  virtual void exited(const ZygoteExit& exit) = 0;
};

struct ZygoteOptions {
  std::string executable;
  std::vector<std::string> args;
  std::vector<std::string> env;
  std::optional<seal::Form> form = seal::Form::plain;  // none: plain frames, for benchmarks to compare with
  bool hybrid_if_had = true;  // makes of the plain form the hybrid one where both libcryptos have what it needs
};

// The process that forks cells, seen from here. The cells are our children, not its own. Loop thread only.
class Zygote final : public std::enable_shared_from_this<Zygote>, public LoopResident, public Watcher {
 public:
  // Throws SystemFailure.
  static std::shared_ptr<Zygote> launch(std::shared_ptr<Loop> loop, const ZygoteOptions& options,
                                        std::unique_ptr<ZygoteEvents> events);

  pid_t pid() const { return process_.pid(); }
  std::shared_ptr<Cell> fork(CellMode mode, const CellOptions& options, std::unique_ptr<CellEvents> events);
  // Ends it once the forks under way are answered. Its cells live on.
  void close();
  void kill();
  void ref();
  void unref();

  void on_events(std::uint32_t) override { read_control(); }
  void shut_down() override;

 private:
  struct Part final : Watcher {
    Part(Zygote& owner, void (Zygote::*what)()) : zygote(owner), handler(what) {}
    void on_events(std::uint32_t) override { (zygote.*handler)(); }
    Zygote& zygote;
    void (Zygote::*handler)();
  };
  Zygote(std::shared_ptr<Loop> loop, std::unique_ptr<ZygoteEvents> events, const ZygoteOptions& options)
      : loop_(std::move(loop)),
        events_(std::move(events)),
        form_(options.form),
        hybrid_if_had_(options.hybrid_if_had) {}
  void read_control();
  void on_ready(const struct ControlMessage& message);
  void read_stderr();
  void on_exit();
  void handle(struct ControlMessage& message);
  void fail_pending(int error, const std::string& text);
  std::shared_ptr<Cell> take_pending(std::uint32_t id);

  std::shared_ptr<Loop> loop_;
  std::unique_ptr<ZygoteEvents> events_;
  std::optional<seal::Form> form_;  // of the cells' rings; final once the zygote is ready
  bool hybrid_if_had_;
  UniqueFd control_;
  UniqueFd stderr_;
  std::string stderr_tail_;
  Process process_;
  Part stderr_part_{*this, &Zygote::read_stderr};
  Part exit_part_{*this, &Zygote::on_exit};
  std::map<std::uint32_t, std::shared_ptr<Cell>> pending_;
  std::uint32_t next_id_ = 1;
  bool closing_ = false;
  bool lost_a_cell_ = false;
  bool referenced_ = false;
};

}  // namespace pyisolate
