#include "client.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

namespace pyisolate::broker {
namespace {

// Resolving is the supervisor's work, and so is remembering: a guest can't make it remember without end.
constexpr std::size_t kMostAddresses = 4096;
constexpr std::size_t kMostNames = 64;

std::int64_t now_ms() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

std::array<std::uint8_t, 17> key(const Address& address) {
  std::array<std::uint8_t, 17> key{};
  key[0] = address.family;
  std::copy(address.bytes.begin(), address.bytes.end(), key.begin() + 1);
  return key;
}

}  // namespace

Client::Client(std::uint64_t id, UniqueFd listener, UniqueFd pidfd, std::shared_ptr<Events> events)
    : id_(id),
      listener_(std::move(listener)),
      pidfd_(std::move(pidfd)),
      events_(std::move(events)),
      working_directory_(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)) {}

std::uint32_t Client::set_policy(std::shared_ptr<const Table> table, bool begins) {
  if (begins) {
    counters.opens = counters.connects = counters.sends = 0;
    counters.started_ms = now_ms();
  }
  const std::uint32_t generation = ++generations_;
  policy_.store(std::make_shared<const Policy>(Policy{std::move(table), generation}), std::memory_order_release);
  return generation;
}

std::uint64_t Client::elapsed_ms() const { return static_cast<std::uint64_t>(now_ms() - counters.started_ms); }

void Client::reached(Limit limit, int error) {
  Reached& reached = reached_[static_cast<std::size_t>(limit)];
  const std::int64_t now = now_ms();
  std::int64_t last = reached.told_ms.load();
  if ((last != 0 && now - last < 1000) || !reached.told_ms.compare_exchange_strong(last, now)) {
    ++reached.untold;
    return;
  }
  const auto policy = this->policy();
  events_->put({.client = id_,
                .operation = Operation::limit,
                .allowed = false,
                .rule = kNoRule,
                .generation = policy ? policy->generation : 0,
                .error = error,
                .kill = false,
                .lost = reached.untold.exchange(0),
                .object = limit == Limit::open_files ? "openFiles" : "fileSize"},
               false);
}

void Client::set_socket_marks(std::shared_ptr<const SocketMarks> marks) {
  socket_marks_.store(std::move(marks), std::memory_order_release);
}

int Client::mark_socket(int socket) const {
  const auto marks = socket_marks_.load(std::memory_order_acquire);
  return marks ? marks->put(socket) : 0;
}

SocketBytes Client::socket_bytes() const {
  const auto marks = socket_marks_.load(std::memory_order_acquire);
  return marks ? marks->bytes() : SocketBytes{};
}

void Client::learn_name(const Address& address, std::string name) {
  std::lock_guard guard(lock_);
  if (names_.size() >= kMostAddresses) names_.clear();  // what is still in use is resolved again
  auto& names = names_[key(address)];
  if (names.size() < kMostNames && std::find(names.begin(), names.end(), name) == names.end())
    names.push_back(std::move(name));
}

std::vector<std::string> Client::names_of(const Address& address) const {
  std::lock_guard guard(lock_);
  const auto found = names_.find(key(address));
  return found == names_.end() ? std::vector<std::string>() : found->second;
}

UniqueFd Client::working_directory() const {
  std::lock_guard guard(lock_);
  return UniqueFd(::fcntl(working_directory_.get(), F_DUPFD_CLOEXEC, 0));
}

void Client::set_working_directory(UniqueFd folder) {
  std::lock_guard guard(lock_);
  working_directory_ = std::move(folder);
}

UniqueFd Client::descriptor(int number) const {
  return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_getfd, pidfd_.get(), number, 0)));
}

}  // namespace pyisolate::broker
