#pragma once

#include <array>
#include <memory>
#include <string>
#include <unordered_set>

#include "../shared/control.h"
#include "broker/client.h"
#include "frame_channel.h"
#include "loop.h"
#include "process.h"
#include "watchdog.h"

namespace pyisolate {

struct CellExit {
  ProcessExit process;
  bool ended_alone = false;  // a sandbox of a shared cell that ended while the cell lives on
  bool killed = false;
  std::string killed_by;
  bool cell_killed = false;  // for a sandbox whose shared cell died: was that killed, and why
  std::string cell_killed_by;
};

// Told what happens to a cell: on the loop's thread, never from inside one of the cell's public methods.
class CellEvents : public FrameSink {
 public:
  virtual void forked(pid_t pid) = 0;
  virtual void fork_failed(int error, const std::string& text) = 0;
  virtual void drained() = 0;
  virtual void corrupt(const char* what) = 0;
  virtual void exited(const CellExit& exit) = 0;
  virtual void denied(const broker::Event& event) = 0;
  // The cell's side has met a limit, `count` times since this was last told; `limit` is a Refused.
  virtual void refused(std::uint32_t limit, std::uint32_t count) = 0;
  // Surround everything above, deliver() included.
  virtual void begin_batch() = 0;
  virtual void end_batch() = 0;
};

struct CellOptions {
  std::uint32_t ring_bytes = 0;
  std::uint32_t max_frame_bytes = 0;
  std::optional<seal::Form> form;              // the zygote's to say; a sandbox of a shared cell follows its cell
  std::shared_ptr<const broker::Table> table;  // of a brokered cell: what holds until set_policy()
};

// One sandbox: a process of its own, or a further one in a shared cell (`attach`). Loop thread only.
class Cell final : public std::enable_shared_from_this<Cell>, public LoopResident, public Watcher, public Deferred {
 public:
  // Throws SystemFailure, seal::CryptoFailure. `parent` is the shared cell for an attached sandbox.
  static std::shared_ptr<Cell> create(std::shared_ptr<Loop> loop, const CellOptions& options,
                                      std::unique_ptr<CellEvents> events, std::shared_ptr<Cell> parent);
  ~Cell() override;

  pid_t pid() const;
  bool gone() const { return state_ == State::gone; }
  bool is_attached() const { return parent_ != nullptr; }

  // The frame's bytes are copied. False: more than a ring is queued, wait for drained().
  bool send(std::uint8_t type, std::uint64_t id, const std::uint8_t* payload, std::uint32_t length);
  void pause() { paused_ = true; }
  void resume();
  void limit_frames(std::uint32_t bytes);
  void interrupt(Interrupt mode);
  void kill(const std::string& reason);
  void set_deadline(std::size_t slot, double soft_ms, double hard_ms, std::string reason);
  void set_cpu_limit(double ms);
  ProcessUsage usage() const;
  void ref();
  void unref();
  void close();
  // Swaps the policy of a brokered sandbox: a call is decided by the old one or the new one. Returns how many it has
  // had, 0 if it isn't brokered or gone.
  // `begins`: as its guest starts, and what contracts count with it.
  std::uint32_t set_policy(std::shared_ptr<const broker::Table> table, bool begins);
  void learn_name(const broker::Address& address, std::string name);
  // Of a brokered sandbox: what the Internet sockets that it gets from here on have in their storage.
  void mark_sockets(std::shared_ptr<const broker::SocketMarks> marks);
  // Of a sandbox that isn't brokered: by what it is decided what it asks its supervisor for. Returns how many tables it
  // has had, 0 if it is brokered or gone. Throws SystemFailure.
  std::uint32_t serve(std::shared_ptr<const broker::Table> table);
  // Whose calls on services are decided as; null before there is a policy.
  std::shared_ptr<broker::Client> asking() const { return client_ ? client_ : asking_; }
  // The thread that runs a brokered sandbox's guest, as the cell's own pid namespace numbers it; 0 before it is known.
  std::uint32_t guest_thread() const { return guest_thread_; }
  void on_denied(const broker::Event& event);
  std::shared_ptr<Cell> attach(CellOptions options, std::unique_ptr<CellEvents> events);

  // The zygote's part.
  void set_control(UniqueFd control) { control_ = std::move(control); }
  int memfd() { return channel_->segment().memfd().get(); }
  void drop_memfd() { channel_->segment().memfd().reset(); }
  int bell() const { return bell_.get(); }
  void on_forked(Process process);
  void on_fork_failed(int error, const std::string& text);

  // The look-out's part: while it looks, the cell needn't ring.
  void start_looking();
  bool has_answered() const;
  void stop_looking(bool brisk);

  void on_events(std::uint32_t events) override;
  void run_deferred() override { pump(); }
  void shut_down() override;

 private:
  enum class State { forking, live, dead, gone };
  struct ExitWatcher final : Watcher {
    explicit ExitWatcher(Cell& owner) : cell(owner) {}
    void on_events(std::uint32_t) override { cell.on_process_exit(); }
    Cell& cell;
  };
  class Batch;
  class Tap;

  Cell(std::shared_ptr<Loop> loop, const CellOptions& options, std::unique_ptr<CellEvents> events,
       std::shared_ptr<Cell> parent);
  template <typename Call>
  void tell(Call&& call);
  void pump();
  void flush();
  void read_frames();
  void on_process_exit();
  void tell_denials();
  void tell_refusals();
  void on_cell_exit(const ProcessExit& exit);
  void finish();
  void take_listener();
  void leave_broker();
  void release();

  std::shared_ptr<Loop> loop_;
  std::shared_ptr<Cell> parent_;
  std::unordered_set<Cell*> attached_;
  std::unique_ptr<CellEvents> events_;
  std::unique_ptr<FrameChannel> channel_;  // gone once released
  std::uint32_t ring_bytes_;
  UniqueFd bell_;
  UniqueFd control_;                                         // of a shared cell
  std::shared_ptr<const broker::Table> table_;               // until the broker has it
  std::shared_ptr<const broker::SocketMarks> socket_marks_;  // the same
  std::shared_ptr<broker::Client> client_;
  std::shared_ptr<broker::Client> asking_;  // of one that isn't brokered
  std::uint32_t guest_thread_ = 0;
  std::array<std::uint32_t, kRefusedKinds> refusals_told_{};
  Process process_;  // of a cell with a process of its own
  ExitWatcher exit_watcher_{*this};
  WatchTarget target_;
  ProcessExit exit_;
  State state_ = State::forking;
  bool paused_ = false;
  bool closed_ = false;  // nobody is to be told anything any more
  bool busy_ = false;    // inside pump(): release later
  bool wants_drain_ = false;
  bool corrupt_reported_ = false;
  bool saw_exit_frame_ = false;
  bool referenced_ = false;
  bool brisk_ = false;                               // what it was sent last was answered within a moment
  std::optional<LookOut::Clock::time_point> asked_;  // when it was sent something that it hasn't answered
};

}  // namespace pyisolate
