#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "../unique_fd.h"
#include "events.h"
#include "socket_marks.h"
#include "table.h"

namespace pyisolate::broker {

// A table in force, and which of those that its sandbox has had: 1, 2, ...
struct Policy {
  std::shared_ptr<const Table> table;
  std::uint32_t generation = 0;
};

// One sandbox as the broker knows it. Any thread.
class Client {
 public:
  // `listener`: of its filter. `pidfd`: of its process.
  Client(std::uint64_t id, UniqueFd listener, UniqueFd pidfd, std::shared_ptr<Events> events);

  std::uint64_t id() const { return id_; }
  int listener() const { return listener_.get(); }
  const std::shared_ptr<Events>& events() const { return events_; }

  // A call is decided by the one policy that it finds here: the old one or the new one, never none. Returns the
  // generation.
  // `begins`: it is somebody's from here on, and what contracts count starts at nothing.
  std::uint32_t set_policy(std::shared_ptr<const Table> table, bool begins);
  std::uint64_t elapsed_ms() const;
  std::shared_ptr<const Policy> policy() const { return policy_.load(std::memory_order_acquire); }

  // For sockets that it gets from here on.
  void set_socket_marks(std::shared_ptr<const SocketMarks> marks);
  // 0, or the errno that it doesn't get a socket with. None of it is marked where nobody asked for marks.
  int mark_socket(int socket) const;
  // What contracts judge, as far as somebody counts it.
  SocketBytes socket_bytes() const;

  // A limit of the guest's was kept by refusing it what a call would have given. Told once a second,
  // with how often it happened in between.
  enum class Limit : std::uint8_t { open_files, file_size };
  void reached(Limit limit, int error);

  // What the guest got by resolving a name: rules on the name fit the address from then on.
  void learn_name(const Address& address, std::string name);
  std::vector<std::string> names_of(const Address& address) const;

  // Its working directory: a cell's own is an empty root. A copy, with its path as the guest sees it.
  UniqueFd working_directory() const;
  void set_working_directory(UniqueFd folder);

  // A copy of one of its descriptors (pidfd_getfd(2), Linux 5.6); empty with errno.
  UniqueFd descriptor(int number) const;

  // What contracts count: calls that rules allowed, and since when.
  struct Counters {
    std::atomic<std::uint64_t> opens{0}, connects{0}, sends{0};
    std::atomic<std::int64_t> started_ms{0};
  } counters;

  // Calls of it that workers are busy with.
  std::atomic<int> busy{0};
  // What it has asked for by itself and workers are busy with, given up or not.
  std::atomic<int> asking{0};

 private:
  const std::uint64_t id_;
  const UniqueFd listener_;
  const UniqueFd pidfd_;
  const std::shared_ptr<Events> events_;
  std::atomic<std::shared_ptr<const Policy>> policy_;
  std::atomic<std::shared_ptr<const SocketMarks>> socket_marks_;
  std::atomic<std::uint32_t> generations_{0};
  struct Reached {
    std::atomic<std::int64_t> told_ms{0};
    std::atomic<std::uint32_t> untold{0};
  };
  std::array<Reached, 2> reached_;
  mutable std::mutex lock_;
  UniqueFd working_directory_;
  std::map<std::array<std::uint8_t, 17>, std::vector<std::string>> names_;
};

}  // namespace pyisolate::broker
