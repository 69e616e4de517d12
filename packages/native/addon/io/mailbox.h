#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "../unique_fd.h"

namespace pyisolate::io {

// What an I/O thread is told to do, by any thread. Its bell is an eventfd that the thread's backend waits for.
class Mailbox {
 public:
  using Command = std::function<void()>;

  Mailbox();  // throws SystemFailure
  int bell() const { return bell_.get(); }
  void post(Command command);
  // The thread's alone.
  std::vector<Command> take();
  void silence();

 private:
  UniqueFd bell_;
  std::mutex lock_;
  std::vector<Command> waiting_;
};

}  // namespace pyisolate::io
