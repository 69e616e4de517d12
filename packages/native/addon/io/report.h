#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "../unique_fd.h"

namespace pyisolate::io {

// From an I/O thread to its environment.
struct Report {
  enum class Kind : std::uint8_t {
    done,      // an operation: `result` is a count, or an errno below zero; `bytes` what was read, `text` an address
    accepted,  // by the listener `handle`: the new stream is `id`, its peer `text` and, as `result`, its port
    data,      // of a stream
    end,       // of a stream or listener: 0, or an errno below zero
    datagram,  // `bytes` from the peer `text` and, as `result`, its port
    revoked,   // the policy allows it no more: what wasn't handed out is not to be
  };
  Kind kind;
  std::uint64_t handle = 0;
  std::uint64_t id = 0;
  std::int64_t result = 0;
  std::shared_ptr<std::vector<std::uint8_t>> bytes{};
  std::string text{};
};

// What has been done so far. Written by the I/O thread.
struct Counters {
  std::atomic<std::uint64_t> operations{0}, bytes_in{0}, bytes_out{0}, wakeups{0}, shortages{0}, handles{0};
  std::atomic<std::uint64_t> fixed_files{0};
};

class Outbox {
 public:
  Outbox();  // throws SystemFailure
  int bell() const { return bell_.get(); }
  void put(Report report);
  std::vector<Report> take();
  // Rings for what put() has left since the last time: once for everything that happened together.
  void ring();

 private:
  UniqueFd bell_;
  std::mutex lock_;
  std::vector<Report> waiting_;
  bool unrung_ = false;
};

}  // namespace pyisolate::io
