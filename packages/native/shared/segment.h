// The shared memory segment between a supervisor and one sandbox: layout only.
//
// One memfd per sandbox, sealed against resizing (F_SEAL_SHRINK | F_SEAL_GROW) so that a guest can't
// turn a supervisor's load into SIGBUS. It holds a header page and two byte rings. Each side treats
// every field the other one writes as hostile: read once, checked, then used.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace pyisolate {

inline constexpr std::uint32_t kSegmentMagic = 0x50795331;  // "PyS1"
inline constexpr std::size_t kSegmentHeaderBytes = 4096;
inline constexpr std::uint32_t kMinRingBytes = 4096;
inline constexpr std::uint32_t kMaxRingBytes = 1u << 30;

// A single-producer, single-consumer byte ring. Positions run freely (never wrapped), so that
// `written - read` is the number of bytes waiting; the ring's size is a power of two.
struct RingState {
  alignas(64) std::atomic<std::uint64_t> written;        // producer only
  alignas(64) std::atomic<std::uint64_t> read;           // consumer only
  alignas(64) std::atomic<std::uint32_t> reader_sleeps;  // consumer: wake me when bytes arrive
  std::atomic<std::uint32_t> writer_sleeps;              // producer: wake me when space appears
};

// What the supervisor asks of a running guest, set before SIGINT is sent to its cell.
enum class Interrupt : std::uint32_t { none = 0, raise = 1, end = 2 };

// Limits that the kernel or the engine keeps by refusing something: the guest lives on.
enum class Refused : std::uint32_t { memory, threads, open_files, file_size };
inline constexpr std::size_t kRefusedKinds = 4;

struct SegmentHeader {
  std::uint32_t magic;
  std::uint32_t ring_bytes;                          // of each ring; fixed before the cell sees the segment
  std::uint32_t sealed;                              // 0, or how: a seal::Form; fixed as well
  RingState to_cell;                                 // supervisor produces
  RingState to_host;                                 // cell produces
  alignas(64) std::atomic<std::uint32_t> cell_bell;  // futex word: bumped for the cell to look again
  std::atomic<std::uint32_t> interrupt;              // an Interrupt
  // Of a brokered sandbox: 0, then the number of its seccomp listener's descriptor plus one, then kListenerTaken once
  // the supervisor has a copy. No guest code runs before that.
  std::atomic<std::uint32_t> listener;
  // The thread that offers it, in the cell's own pid namespace: written before `listener`.
  std::atomic<std::uint32_t> thread;
  // Of a sandbox whose shared cell ends because of it: its CPU limit in milliseconds, at least 1. Not a frame, as its
  // ring may be full, and a thread of its own in the midst of a write.
  std::atomic<std::uint32_t> over_cpu;
  // How often the cell's side has met each: a count, not a frame, as that can be told when there is no memory, from
  // within an allocator, and past a full ring. It wraps.
  alignas(16) std::atomic<std::uint32_t> refused[kRefusedKinds];
  // Records that were sealed so far in each direction: counted by whoever seals, before it does. Who was brought back
  // to an earlier time, this segment not being its own memory alone, is behind, and seals no more.
  alignas(64) std::atomic<std::uint64_t> sealed_to_cell;
  alignas(64) std::atomic<std::uint64_t> sealed_to_host;
  // Messages that the guest has taken so far, all together, by message_cost(): written by the cell.
  alignas(64) std::atomic<std::uint64_t> messages_taken;
  // Of a supervisor that holds messages back: rings it when so much has been taken. 0: it holds none.
  std::atomic<std::uint64_t> messages_wanted;
};
inline constexpr std::uint32_t kListenerTaken = ~0u;

static_assert(sizeof(SegmentHeader) <= kSegmentHeaderBytes);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

inline constexpr std::size_t segment_bytes(std::uint32_t ring_bytes) {
  return kSegmentHeaderBytes + 2 * static_cast<std::size_t>(ring_bytes);
}

// Messages that were sent and not taken, at most, or a single one that is larger: further ones wait in the supervisor.
// All else goes past them, as a guest that waits for a reply takes no message.
inline constexpr std::uint64_t message_window(std::uint64_t ring_bytes) { return 4 * ring_bytes; }
// What one counts: about what it costs whoever keeps it.
inline constexpr std::uint64_t message_cost(std::uint64_t payload_bytes) { return payload_bytes + 128; }

// Every frame starts with this, little-endian, then `length` bytes of payload.
struct FrameHeader {
  std::uint32_t length;
  std::uint8_t type;  // a FrameType
  std::uint8_t reserved[3];
  std::uint64_t id;  // ties a reply to its request; 0 where there is none
};
static_assert(sizeof(FrameHeader) == 16);

constexpr std::uint64_t kUnansweredId = 0;

enum class FrameType : std::uint8_t {
  // supervisor -> cell
  init = 1,         // CBOR map, see docs; answered by result or error, with kUnansweredId only by an exit if it fails
  exec = 2,         // CBOR {code, filename}
  eval = 3,         // CBOR {code, filename}
  call = 4,         // CBOR {name, args, kwargs}
  message = 5,      // CBOR value for the guest's recv()
  reply = 6,        // CBOR value: answer to host_call `id`
  reply_error = 7,  // CBOR {type, message, code?, plain?: true where Python's own exception of that name is meant}
  close = 8,        // empty: end in good order
  // cell -> supervisor
  ready = 65,      // CBOR {enforcement: [...]}; the cell is confined, no guest byte has run
  result = 67,     // CBOR value: answer to init/exec/eval/call `id`
  error = 68,      // CBOR {type, message, traceback, frames}
  post = 69,       // CBOR value
  out = 70,        // raw UTF-8 bytes of stdout
  err = 71,        // raw UTF-8 bytes of stderr
  host_call = 72,  // CBOR {name, args, kwargs}
  exit = 73,       // CBOR {kind, code, message}: the sandbox's last frame
};

}  // namespace pyisolate
