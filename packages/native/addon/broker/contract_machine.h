#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace pyisolate::broker {

// One instruction of the eBPF machine (RFC 9669, 3).
struct BpfInstruction {
  std::uint8_t code;
  std::uint8_t registers;  // destination in the low four bits, source in the high ones
  std::int16_t offset;
  std::int32_t immediate;
};
static_assert(sizeof(BpfInstruction) == 8);

// What contracts judge: the same layout that the kernel's programs keep for a task, so that the same instructions run
// here and there.
struct ContractTask {
  std::uint64_t sandbox;
  std::uint32_t policy_slot;
  std::uint32_t flags;
  std::uint64_t started_ns;
  std::uint64_t opens;
  std::uint64_t connects;
  std::uint64_t sends;
  std::uint64_t bytes_sent;
  std::uint64_t bytes_received;
  std::uint64_t elapsed_ms;
  std::uint64_t writes;
  std::uint64_t dst_port;
  std::uint64_t size;
  std::uint64_t path_bits;
  std::uint8_t dst_addr[16];
  std::uint32_t dst_family;
  std::uint32_t zero;
};
static_assert(sizeof(ContractTask) == 128 && offsetof(ContractTask, opens) == 24);

enum class ContractAction : std::uint32_t { deny, log, kill };

// A contract that did not hold.
struct Violation {
  std::uint32_t contract;  // rule number
  ContractAction action;
};

struct ContractVerdict {
  bool allowed = false;
  std::vector<Violation> violations;
};

// Runs a program to its end. Its memory is its stack and the task, every access is checked, and it has a budget of
// instructions: one that leaves them is broken, and denies.
ContractVerdict run_contracts(std::span<const BpfInstruction> program, const ContractTask& task);

}  // namespace pyisolate::broker
