// What is confined in the tests: threads that do one system call at a time, as told on stdin, and say its errno.
//   in:  <thread> <call> <argument>...    out: <thread> <result>
// A new name is a new thread. `id` is answered by the thread's number.
#include <sys/syscall.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdio>
#include <deque>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "calls.h"

namespace {

std::mutex output;

void answer(const std::string& name, long result) {
  std::lock_guard lock(output);
  std::printf("%s %ld\n", name.c_str(), result);
  std::fflush(stdout);
}

class Worker {
 public:
  explicit Worker(std::string name) : name_(std::move(name)), thread_([this] { run(); }) { thread_.detach(); }
  void tell(std::vector<std::string> call) {
    std::lock_guard lock(mutex_);
    calls_.push_back(std::move(call));
    wake_.notify_one();
  }

 private:
  void run() {
    for (;;) {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return !calls_.empty(); });
      auto call = std::move(calls_.front());
      calls_.pop_front();
      lock.unlock();
      answer(name_, call[0] == "id" ? syscall(SYS_gettid) : perform(call));
    }
  }

  std::string name_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::vector<std::string>> calls_;
  std::thread thread_;
};

/// What is written from now on goes through a pipe to an unlabelled process: the caller's stdout may be a socket, and a
/// label without a policy sends nothing.
void relay_output() {
  int ends[2];
  if (pipe(ends) != 0) _exit(1);
  pid_t relay = fork();
  if (relay < 0) _exit(1);
  if (relay == 0) {
    close(ends[1]);
    close(STDIN_FILENO);
    char bytes[4096];
    for (ssize_t got; (got = read(ends[0], bytes, sizeof(bytes))) > 0;)
      if (write(STDOUT_FILENO, bytes, static_cast<size_t>(got)) != got) _exit(1);
    _exit(0);
  }
  close(ends[0]);
  dup2(ends[1], STDOUT_FILENO);
  close(ends[1]);
}

}  // namespace

int main() {
  relay_output();
  std::map<std::string, std::unique_ptr<Worker>> workers;
  std::string line;
  while (std::getline(std::cin, line)) {
    std::istringstream words(line);
    std::string name, word;
    std::vector<std::string> call;
    words >> name;
    while (words >> word) call.push_back(word);
    // The first thread answers itself, between two lines.
    if (name == "main") {
      answer(name, call[0] == "id" ? syscall(SYS_gettid) : perform(call));
      continue;
    }
    auto& worker = workers[name];
    if (!worker) worker = std::make_unique<Worker>(name);
    worker->tell(std::move(call));
  }
  _exit(0);
}
