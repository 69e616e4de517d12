// Sorts what arrives for one sandbox between its threads: requests, messages, replies to host calls.
//
// Whichever thread waits first reads the channel for all (leader); the others sleep until it has
// something for them or stops. No Python here.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <unordered_map>

#include "transport/channel.h"

namespace pyisolate {

class Inbox {
 public:
  explicit Inbox(Channel& channel) : channel_(channel) {}

  enum class Wait { got, timeout, interrupted, closed };
  // `interrupted` is asked whenever a wait was disturbed; it may run Python and answers whether to give up.
  using Interrupted = std::function<bool()>;

  Wait request(Frame& out, const Interrupted& interrupted);
  // Waits for a request without taking it.
  bool has_request(const Deadline& until);
  Wait message(Frame& out, const Deadline& until, const Interrupted& interrupted);
  Wait reply(std::uint64_t id, Frame& out, const Interrupted& interrupted);

  // Before the host is called: its reply will be kept. One that nobody awaits any more is dropped as it comes.
  class Awaited {
   public:
    Awaited(Inbox& inbox, std::uint64_t id);
    ~Awaited();
    Awaited(const Awaited&) = delete;
    Awaited& operator=(const Awaited&) = delete;

   private:
    Inbox& inbox_;
    std::uint64_t id_;
  };

 private:
  using Take = std::function<bool(Frame&)>;  // called with the lock held
  Wait wait(const Take& take, Frame& out, const Deadline& until, const Interrupted& interrupted, bool even_closed);
  void sort(Frame&& frame);

  Channel& channel_;
  std::mutex lock_;
  std::condition_variable changed_;
  bool led_ = false;
  bool closed_ = false;
  std::deque<Frame> requests_;
  std::deque<Frame> messages_;  // the supervisor sends no more than message_window() ahead
  std::unordered_map<std::uint64_t, std::optional<Frame>> replies_;  // awaited, or come
};

}  // namespace pyisolate
