#include "contract_machine.h"

#include <array>
#include <cstring>

namespace pyisolate::broker {
namespace {

// Where a program finds its memory; values that no arithmetic of a contract comes by.
constexpr std::uint64_t kStack = 0x1000'0000'0000;
constexpr std::uint64_t kTask = 0x2000'0000'0000;
constexpr std::uint64_t kHandle = 0x3000'0000'0000;  // of maps and of the task itself: to be passed on, not read
constexpr std::size_t kStackBytes = 512;
constexpr int kBudget = 1 << 16;

// bpf-helpers(7), by number.
constexpr std::int32_t kSendSignal = 109;
constexpr std::int32_t kRingbufOutput = 130;
constexpr std::int32_t kTaskStorageGet = 156;
constexpr std::int32_t kCurrentTask = 158;

// The event that a program puts into the ring buffer for a contract that does not hold.
struct Record {
  std::uint32_t kind;
  std::uint32_t contract;
  std::uint64_t sandbox;
  std::uint32_t hook;
  std::uint32_t action;
  std::uint64_t zero;
};
static_assert(sizeof(Record) == 32);
constexpr std::uint32_t kViolation = 2;

class Machine {
 public:
  Machine(std::span<const BpfInstruction> program, const ContractTask& task) : program_(program), task_(task) {}

  ContractVerdict run() {
    registers_[10] = kStack + kStackBytes;
    for (int left = kBudget; left > 0 && sound_; --left) {
      if (at_ >= program_.size()) break;
      if (step(program_[at_++])) return {registers_[0] == 0, std::move(violations_)};
    }
    return {false, std::move(violations_)};
  }

 private:
  // True at the end.
  bool step(const BpfInstruction& one) {
    switch (one.code & 7) {
      case 0: return load_immediate(one), false;
      case 1: return load(one), false;
      case 2: return store(one, static_cast<std::uint64_t>(std::int64_t{one.immediate})), false;
      case 3: return store(one, source(one)), false;
      case 4: return alu32(one), false;
      case 5: return jump(one, false);
      case 6: return jump(one, true);
      default: return alu64(one), false;
    }
  }

  std::uint64_t& destination(const BpfInstruction& one) { return reg(one.registers & 0xf); }
  std::uint64_t source(const BpfInstruction& one) { return reg(one.registers >> 4); }
  std::uint64_t operand(const BpfInstruction& one) {
    return (one.code & 8) != 0 ? source(one) : static_cast<std::uint64_t>(std::int64_t{one.immediate});
  }
  std::uint64_t& reg(unsigned number) {
    if (number > 10) sound_ = false, number = 0;
    return registers_[number];
  }

  std::uint8_t* memory(std::uint64_t address, std::size_t bytes, bool write) {
    if (address >= kStack && address - kStack <= kStackBytes - bytes) return stack_.data() + (address - kStack);
    auto* task = reinterpret_cast<std::uint8_t*>(&task_);
    if (!write && address >= kTask && address - kTask <= sizeof task_ - bytes) return task + (address - kTask);
    sound_ = false;
    return nullptr;
  }
  static std::size_t width(const BpfInstruction& one) {
    constexpr std::size_t kWidths[] = {4, 2, 1, 8};
    return kWidths[(one.code >> 3) & 3];
  }
  void load(const BpfInstruction& one) {
    if ((one.code & 0xe0) != 0x60) return fail();
    const std::uint8_t* from =
        memory(source(one) + static_cast<std::uint64_t>(std::int64_t{one.offset}), width(one), false);
    std::uint64_t value = 0;
    if (from != nullptr) std::memcpy(&value, from, width(one));
    destination(one) = value;
  }
  void store(const BpfInstruction& one, std::uint64_t value) {
    if ((one.code & 0xe0) != 0x60) return fail();
    std::uint8_t* to =
        memory(destination(one) + static_cast<std::uint64_t>(std::int64_t{one.offset}), width(one), true);
    if (to != nullptr) std::memcpy(to, &value, width(one));
  }
  // 64 bits, in two instructions; a map when its source says so.
  void load_immediate(const BpfInstruction& one) {
    if (one.code != 0x18 || at_ >= program_.size()) return fail();
    const BpfInstruction& rest = program_[at_++];
    const bool map = (one.registers >> 4) != 0;
    destination(one) = map ? kHandle
                           : static_cast<std::uint32_t>(one.immediate) |
                                 std::uint64_t{static_cast<std::uint32_t>(rest.immediate)} << 32;
  }

  void alu64(const BpfInstruction& one) {
    std::uint64_t& to = destination(one);
    const std::uint64_t by = operand(one);
    switch (one.code >> 4) {
      case 0x0: to += by; break;
      case 0x1: to -= by; break;
      case 0x2: to *= by; break;
      case 0x3: to = by == 0 ? 0 : to / by; break;
      case 0x4: to |= by; break;
      case 0x5: to &= by; break;
      case 0x6: to <<= by & 63; break;
      case 0x7: to >>= by & 63; break;
      case 0x8: to = 0 - to; break;
      case 0x9: to = by == 0 ? to : to % by; break;
      case 0xa: to ^= by; break;
      case 0xb: to = by; break;
      case 0xc: to = static_cast<std::uint64_t>(static_cast<std::int64_t>(to) >> (by & 63)); break;
      default: fail();
    }
  }
  void alu32(const BpfInstruction& one) {
    std::uint64_t& to = destination(one);
    if ((one.code >> 4) == 0xd) return swap(one, to);
    const auto by = static_cast<std::uint32_t>(operand(one));
    auto low = static_cast<std::uint32_t>(to);
    switch (one.code >> 4) {
      case 0x0: low += by; break;
      case 0x1: low -= by; break;
      case 0x2: low *= by; break;
      case 0x3: low = by == 0 ? 0 : low / by; break;
      case 0x4: low |= by; break;
      case 0x5: low &= by; break;
      case 0x6: low <<= by & 31; break;
      case 0x7: low >>= by & 31; break;
      case 0x8: low = 0 - low; break;
      case 0x9: low = by == 0 ? low : low % by; break;
      case 0xa: low ^= by; break;
      case 0xb: low = by; break;
      case 0xc: low = static_cast<std::uint32_t>(static_cast<std::int32_t>(low) >> (by & 31)); break;
      default: return fail();
    }
    to = low;
  }
  // To big endian, or to little endian, as this machine is one.
  void swap(const BpfInstruction& one, std::uint64_t& to) {
    const bool big = (one.code & 8) != 0;
    switch (one.immediate) {
      case 16: to = big ? __builtin_bswap16(static_cast<std::uint16_t>(to)) : static_cast<std::uint16_t>(to); break;
      case 32: to = big ? __builtin_bswap32(static_cast<std::uint32_t>(to)) : static_cast<std::uint32_t>(to); break;
      case 64: to = big ? __builtin_bswap64(to) : to; break;
      default: fail();
    }
  }

  bool jump(const BpfInstruction& one, bool narrow) {
    const unsigned op = one.code >> 4;
    if (!narrow && op == 0x9) return true;
    if (!narrow && op == 0x8) return call(one.immediate), false;
    if (!narrow && op == 0x0) return go(one.offset), false;
    std::uint64_t a = destination(one);
    std::uint64_t b = operand(one);
    if (narrow) a = static_cast<std::uint32_t>(a), b = static_cast<std::uint32_t>(b);
    auto left = static_cast<std::int64_t>(a), right = static_cast<std::int64_t>(b);
    if (narrow) left = static_cast<std::int32_t>(a), right = static_cast<std::int32_t>(b);
    bool taken = false;
    switch (op) {
      case 0x1: taken = a == b; break;
      case 0x2: taken = a > b; break;
      case 0x3: taken = a >= b; break;
      case 0x4: taken = (a & b) != 0; break;
      case 0x5: taken = a != b; break;
      case 0x6: taken = left > right; break;
      case 0x7: taken = left >= right; break;
      case 0xa: taken = a < b; break;
      case 0xb: taken = a <= b; break;
      case 0xc: taken = left < right; break;
      case 0xd: taken = left <= right; break;
      default: fail();
    }
    if (taken) go(one.offset);
    return false;
  }
  void go(std::int16_t offset) {
    const auto to = static_cast<std::int64_t>(at_) + offset;
    if (to < 0) return fail();
    at_ = static_cast<std::size_t>(to);
  }
  void call(std::int32_t helper) {
    std::uint64_t result = 0;
    switch (helper) {
      case kCurrentTask: result = kHandle; break;
      case kTaskStorageGet: result = kTask; break;
      case kRingbufOutput: note(registers_[2], registers_[3]); break;
      case kSendSignal: break;  // the record of a violation says so as well
      default: fail();
    }
    registers_[0] = result;
  }
  void note(std::uint64_t address, std::uint64_t bytes) {
    if (bytes != sizeof(Record)) return fail();
    const std::uint8_t* from = memory(address, sizeof(Record), false);
    if (from == nullptr) return;
    Record record;
    std::memcpy(&record, from, sizeof record);
    if (record.kind != kViolation || record.action > 2) return fail();
    violations_.push_back({record.contract, static_cast<ContractAction>(record.action)});
  }
  void fail() { sound_ = false; }

  std::span<const BpfInstruction> program_;
  ContractTask task_;
  std::array<std::uint64_t, 11> registers_{};
  std::array<std::uint8_t, kStackBytes> stack_{};
  std::size_t at_ = 0;
  bool sound_ = true;
  std::vector<Violation> violations_;
};

}  // namespace

ContractVerdict run_contracts(std::span<const BpfInstruction> program, const ContractTask& task) {
  return Machine(program, task).run();
}

}  // namespace pyisolate::broker
