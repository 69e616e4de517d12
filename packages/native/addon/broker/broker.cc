#include "broker.h"

#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#include <cerrno>
#include <system_error>
#include <thread>

#include "../system_failure.h"
#include "answer.h"

namespace pyisolate::broker {
namespace {

constexpr std::uint64_t kWaiting = 1ull << 63;  // of an epoll key: something waited for, not a sandbox

// Nothing but what the policy denies by name is sent here beside the calls on files and sockets.
Answer deny(const Call& call, const Request& request) {
  call.client.events()->put({.client = call.client.id(),
                             .operation = Operation::call,
                             .allowed = false,
                             .rule = kNoRule,
                             .generation = call.policy.generation,
                             .error = EPERM,
                             .kill = false,
                             .lost = 0,
                             .object = std::to_string(request.number)},
                            false);
  return Answer::fail(EPERM);
}

Answer make_call(const Call& call, const Request& request) {
  try {
    if (request.kind == Kind::denied) return deny(call, request);
    return request.kind < Kind::socket ? make_file_call(call, request) : make_socket_call(call, request);
  } catch (const std::bad_alloc&) {
    return Answer::fail(ENOMEM);
  }
}

}  // namespace

bool Call::permits(const Decision& decision, Operation operation, std::string object, int error) const {
  const bool log_only = table().log_only();
  if (decision.allowed && !log_only) return true;
  if (object.empty()) object = "/";
  client.events()->put({.client = client.id(),
                        .operation = operation,
                        .allowed = decision.allowed,
                        .rule = decision.rule,
                        .generation = policy.generation,
                        .error = log_only ? 0 : error,
                        .kill = false,
                        .lost = 0,
                        .object = std::move(object)},
                       log_only);
  return log_only;
}

bool Call::upholds(Hook hook, Operation operation, const std::string& object, ContractTask facts) const {
  auto& counters = client.counters;
  facts.opens = counters.opens += hook == Hook::open ? 1 : 0;
  facts.connects = counters.connects += hook == Hook::connect ? 1 : 0;
  facts.sends = counters.sends += hook == Hook::send_to ? 1 : 0;
  const auto program = table().contracts(hook);
  if (program.empty()) return true;
  facts.sandbox = client.id();
  facts.elapsed_ms = client.elapsed_ms();
  const SocketBytes bytes = client.socket_bytes();
  // What this call sends counts with it, as it does in the kernel's programs.
  facts.bytes_sent = bytes.sent + (hook == Hook::send_to ? facts.size : 0);
  facts.bytes_received = bytes.received;
  const ContractVerdict verdict = run_contracts(program, facts);
  for (const Violation& violation : verdict.violations) {
    const bool denies = violation.action != ContractAction::log && !table().log_only();
    client.events()->put({.client = client.id(),
                          .operation = operation,
                          .allowed = false,
                          .rule = violation.contract,
                          .generation = policy.generation,
                          .error = denies ? EPERM : 0,
                          .kill = violation.action == ContractAction::kill && denies,
                          .lost = 0,
                          .object = object.empty() ? "/" : object},
                         table().log_only() || violation.action == ContractAction::kill);
  }
  return verdict.allowed || table().log_only();
}

Broker& Broker::instance() {
  static auto* broker = new Broker;  // its threads outlive every static
  return *broker;
}

Broker::Broker() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_) throw SystemFailure("epoll_create1");
}

std::shared_ptr<Client> Broker::add(UniqueFd listener, UniqueFd pidfd, std::shared_ptr<Events> events) {
  std::shared_ptr<Client> client;
  {
    std::lock_guard guard(lock_);
    client = std::make_shared<Client>(next_++, std::move(listener), std::move(pidfd), std::move(events));
    clients_.emplace(client->id(), client);
  }
  epoll_event event{};
  event.events = EPOLLIN | EPOLLONESHOT;
  event.data.u64 = client->id();
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, client->listener(), &event) != 0) {
    const int error = errno;
    remove(client->id());
    throw SystemFailure("epoll_ctl", error);
  }
  if (threads_.load() == 0) spare_thread();
  return client;
}

std::shared_ptr<Client> Broker::add_asking(std::shared_ptr<Events> events) {
  std::lock_guard guard(lock_);
  return std::make_shared<Client>(next_++, UniqueFd(), UniqueFd(), std::move(events));
}

void Broker::remove(std::uint64_t id) {
  const auto dropped = take_waiting(id);  // closed outside of the lock
  std::shared_ptr<Client> client;
  {
    std::lock_guard guard(lock_);
    const auto found = clients_.find(id);
    if (found == clients_.end()) return;
    client = std::move(found->second);
    clients_.erase(found);
  }
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, client->listener(), nullptr);
  client->events()->forget(id);
}

void Broker::interrupt(std::uint64_t client) {
  for (const Waiting& waiting : take_waiting(client))
    answer(*waiting.client, waiting.notification, Answer::fail(EINTR));
}

std::vector<Broker::Waiting> Broker::take_waiting(std::uint64_t client) {
  std::vector<Waiting> taken;
  std::lock_guard guard(lock_);
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    if (at->second.client->id() != client) {
      ++at;
      continue;
    }
    taken.push_back(std::move(at->second));
    at = waiting_.erase(at);
  }
  return taken;
}

void Broker::spare_thread() {
  if (threads_.fetch_add(1) >= kMostThreads) {
    --threads_;
    return;
  }
  // Signals are Node's.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    std::thread([this] { run(); }).detach();
  } catch (const std::system_error&) {
    --threads_;  // those there are go on
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Broker::run() {
  prctl(PR_SET_NAME, "pyisolate-brokr");
  for (;;) {
    epoll_event event{};
    ++idle_;
    const int got = ::epoll_wait(epoll_.get(), &event, 1, -1);
    const bool last = --idle_ == 0;
    if (got != 1) continue;
    // Whatever this one comes to wait for, somebody is left to listen.
    if (last) spare_thread();
    if ((event.data.u64 & kWaiting) != 0) {
      resume(event.data.u64);
      continue;
    }
    std::shared_ptr<Client> client;
    {
      std::lock_guard guard(lock_);
      const auto found = clients_.find(event.data.u64);
      if (found != clients_.end()) client = found->second;
    }
    if (!client) continue;
    if ((event.events & EPOLLIN) != 0) {
      serve(client);
    } else {
      remove(client->id());  // EPOLLHUP: nobody is left under its filter
    }
  }
}

void Broker::arm(const Client& client) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLONESHOT;
  event.data.u64 = client.id();
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, client.listener(), &event);
}

void Broker::serve(const std::shared_ptr<Client>& client) {
  seccomp_notif notification{};
  const int listener = client->listener();
  if (::ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &notification) != 0) return arm(*client);  // it died meanwhile
  const bool more = ++client->busy < kBusyEach;
  if (more) arm(*client);
  const auto policy = client->policy();
  GuestMemory memory(static_cast<pid_t>(notification.pid));
  Request request{};
  Answer result;
  if (!policy) {
    result.error = EACCES;
  } else if (const int error = decode(notification.data, memory, request); error != 0) {
    result.error = error;
  } else if (::ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &notification.id) != 0) {
    result.error = ESRCH;  // the thread is gone: what was read may be another one's
  } else {
    result = make_call({*client, *policy, memory, notification.id, static_cast<pid_t>(notification.pid)}, request);
  }
  if (result.later) {
    wait(client, notification.id, std::move(result));
  } else {
    answer(*client, notification.id, std::move(result));
  }
  if (client->busy-- == kBusyEach) arm(*client);
}

void Broker::wait(std::shared_ptr<Client> client, std::uint64_t notification, Answer result) {
  const auto owner = client;
  std::uint64_t key = 0;
  int socket = result.fd.get();
  {
    std::lock_guard guard(lock_);
    int count = 0;
    for (const auto& [_, waiting] : waiting_) count += waiting.client == client ? 1 : 0;
    if (count < kLongestWaits && clients_.contains(client->id())) {
      key = kWaiting | next_++;
      waiting_.emplace(key, Waiting{std::move(client), notification, std::move(result.fd), std::move(result.later)});
    }
  }
  epoll_event event{};
  event.events = EPOLLOUT | EPOLLONESHOT;
  event.data.u64 = key;
  if (key != 0 && ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket, &event) == 0) return;
  {
    std::lock_guard guard(lock_);
    waiting_.erase(key);
  }
  answer(*owner, notification, Answer::fail(ENOBUFS));
}

void Broker::resume(std::uint64_t key) {
  Waiting waiting;
  {
    std::lock_guard guard(lock_);
    auto found = waiting_.find(key);
    if (found == waiting_.end()) return;
    waiting = std::move(found->second);
    waiting_.erase(found);
  }
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, waiting.socket.get(), nullptr);
  Answer result = waiting.later(std::move(waiting.socket));
  if (result.later) return wait(waiting.client, waiting.notification, std::move(result));
  answer(*waiting.client, waiting.notification, std::move(result));
}

}  // namespace pyisolate::broker
