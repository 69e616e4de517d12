#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "../unique_fd.h"

namespace pyisolate::broker {

// `call`: another system call, by number, which the policy denies. `limit`: one was reached.
enum class Operation : std::uint8_t { read, write, exec, connect, bind, send_to, socket, call, limit };

// A call that a policy denied; or, where it only logs, would have denied or has allowed.
struct Event {
  std::uint64_t client;
  Operation operation;
  bool allowed;
  std::uint32_t rule;
  std::uint32_t generation;
  int error;           // the errno the guest saw
  bool kill;           // a contract demands the end of its sandbox
  std::uint32_t lost;  // events of this sandbox that were left out since the last one
  std::string object;  // a path as the guest sees it, or a target: tcp://192.0.2.1:80
};

// From the broker's threads to one event loop. A sandbox that is denied faster than anybody can read is cut to
// kPerSecond events a second; the rest are counted.
class Events {
 public:
  static constexpr std::uint32_t kPerSecond = 100;

  explicit Events(UniqueFd bell) : bell_(std::move(bell)) {}
  int bell() const { return bell_.get(); }

  void put(Event event, bool all);  // `all`: not cut, as a log that misses calls is of no use
  std::vector<Event> take();
  // Those of one sandbox that were put before something of its own that the caller has seen; cheap if there are none.
  std::vector<Event> take(std::uint64_t client);
  void forget(std::uint64_t client);

 private:
  struct Rate {
    std::int64_t second = 0;
    std::uint32_t count = 0;
    std::uint32_t lost = 0;
  };
  const UniqueFd bell_;
  std::mutex lock_;
  std::vector<Event> waiting_;
  std::atomic<bool> any_{false};
  std::map<std::uint64_t, Rate> rates_;
};

}  // namespace pyisolate::broker
