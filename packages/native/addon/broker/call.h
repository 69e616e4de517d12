#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>

#include "../unique_fd.h"
#include "client.h"
#include "guest_memory.h"
#include "request.h"

namespace pyisolate::broker {

// How a call ends: an errno, a value, or a descriptor that the guest gets.
struct Answer {
  int error = 0;
  std::int64_t value = 0;
  UniqueFd fd;
  bool close_on_exec = false;
  // The guest goes on only once this side has let go of it: of a pipe, who holds an end is what the others see.
  bool alone = false;
  // Not yet: `fd`, which stays here, is to be written to first; then this tells the rest, or waits once more.
  std::function<Answer(UniqueFd)> later;

  static Answer fail(int error) {
    Answer answer;
    answer.error = error;
    return answer;
  }
  static Answer of(std::int64_t value) {
    Answer answer;
    answer.value = value;
    return answer;
  }
  static Answer give(UniqueFd fd, bool close_on_exec) {
    Answer answer;
    answer.fd = std::move(fd);
    answer.close_on_exec = close_on_exec;
    return answer;
  }
};

// One call of a guest while it is decided and made.
struct Call {
  Client& client;
  const Policy& policy;
  Memory& memory;
  std::uint64_t id;  // of its notification
  pid_t thread;      // as the supervisor numbers it

  const Table& table() const { return *policy.table; }
  // Whether the contracts of a hook hold for what was permitted: the last step before a call is made. Counts it.
  bool upholds(Hook hook, Operation operation, const std::string& object, ContractTask facts) const;
  // Whether to go on: yes if the decision says so or nothing is enforced. What is denied becomes an event.
  bool permits(const Decision& decision, Operation operation, std::string object, int error = 13 /* EACCES */) const;
};

// Where a socket that is yet to be made may be connected or bound to. `hold` keeps what was judged.
struct Dial {
  int error = 0;
  sockaddr_storage peer{};
  socklen_t peer_bytes = 0;
  UniqueFd hold;
  std::string object{};  // as events call it
};

// As events, and contracts, call it.
constexpr Operation operation_of(NetOp op) {
  return op == kConnect ? Operation::connect : op == kBind ? Operation::bind : Operation::send_to;
}
constexpr Hook hook_of(NetOp op) { return op == kConnect ? Hook::connect : op == kBind ? Hook::bind : Hook::send_to; }

// socket(2) for a sandbox: with its marks, or none and the errno.
UniqueFd make_socket(const Client& client, int family, int type, int protocol, int& error);
// connect(2) of a TCP or Unix stream up to where the call is made.
Dial judge_dial(const Call& call, const Request& request);
// The same of bind(2); `protocol`: of an internet address.
Dial judge_bind(const Call& call, const Request& request, int protocol);
// sendto(2) to an internet address: 0, EACCES or EPERM.
int judge_send(const Call& call, int protocol, const Address& peer, std::size_t size);
Answer make_file_call(const Call& call, const Request& request);
Answer make_socket_call(const Call& call, const Request& request);

}  // namespace pyisolate::broker
