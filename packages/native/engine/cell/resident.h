// One sandbox of a shared cell: its interpreter, and the thread that makes, runs and ends it.
#pragma once

#include <linux/filter.h>
#include <pthread.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "python/account.h"
#include "python/guest.h"

struct _ts;

namespace pyisolate {

class Resident {
 public:
  // What residents need of the cell's descriptors, as changes to their sum.
  struct Need {
    std::int64_t starting = 0;  // interpreters that are being made: imports open files
    std::int64_t open_files = 0;
  };
  using Share = std::function<void(const Need&)>;

  // Starts its thread, which gives itself to the broker if there is a `notify_filter`, makes the interpreter, imports
  // `preload` and says `ready`, a payload, on `channel`. `changed` is called, from its thread, when there is something
  // new to watch or sweep; `share` with what it needs more, or no longer.
  Resident(std::unique_ptr<Channel> channel, const std::vector<std::string>& preload,
           const std::vector<sock_filter>& notify_filter, const std::vector<std::uint8_t>& ready,
           std::function<void()> changed, Share share);

  bool gone();  // its thread doesn't touch it any more

  // Passes on what the supervisor asked of it through its segment. From the cell's main thread, detached.
  void look_for_interrupt();

  // Ends a sandbox whose thread has used up its CPU limit. Returns how long until the next look makes
  // sense, milliseconds; -1 when there is nothing to watch, 0 when it won't end and the cell must.
  int watch_cpu();

  // Milliseconds since its sandbox said `exit`, while its interpreter hasn't ended; 0 otherwise.
  long leaving_ms();

 private:
  void run();
  bool enter_broker(std::string& problem);
  void leave(_ts* state);
  bool begin_serving(Guest& guest, _ts* state);
  void say_exit(const char* kind, int code, const std::string& message);

  const std::vector<std::string>& preload_;
  const std::vector<sock_filter>& notify_filter_;
  const std::vector<std::uint8_t>& ready_;
  std::function<void()> notify_;
  Share share_;
  std::int64_t open_files_ = 0;
  Account account_;
  std::mutex lock_;
  std::unique_ptr<Channel> channel_;
  bool cancelled_ = false;  // ended by the supervisor before it served
  bool served_ = false;
  Guest* guest_ = nullptr;  // while it serves; under lock_
  _ts* state_ = nullptr;
  unsigned long thread_id_ = 0;
  bool gone_ = false;
  double cpu_before_ms_ = 0;  // of its thread, when it began to serve; under lock_
  Clock::time_point leaving_since_{};
  Clock::time_point over_since_{};
  pthread_t thread_{};
};

}  // namespace pyisolate
