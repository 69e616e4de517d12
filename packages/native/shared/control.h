// Messages on the SOCK_SEQPACKET control sockets: supervisor <-> zygote, and supervisor -> cell for
// cells that hold several sandboxes. One message per packet; descriptors travel by SCM_RIGHTS.
#pragma once

#include <cstdint>

namespace pyisolate {

inline constexpr int kControlFd = 3;  // the engine's end, on start

enum class ControlKind : std::uint32_t {
  // supervisor -> zygote. Descriptors: segment memfd, the supervisor's eventfd and, for `interpreter`
  // cells, the cell's end of a control socket.
  fork = 1,
  // supervisor -> interpreter cell. Descriptors: segment memfd, the supervisor's eventfd.
  attach = 2,
  // zygote -> supervisor
  ready = 16,        // text: a JSON report; value: kHasKem or 0
  forked = 17,       // id; value: the pid in the zygote's pid namespace; descriptor: its pidfd
  fork_failed = 18,  // id; value: errno; text: what failed
  failed = 19,       // value: errno; text: why the zygote can't start; it exits after this
};

inline constexpr std::int32_t kHasKem = 1;

enum class CellMode : std::uint32_t { process = 0, interpreter = 1 };

inline constexpr std::uint32_t kControlTextBytes = 16 * 1024;

struct ControlHeader {
  std::uint32_t kind;  // a ControlKind
  std::uint32_t id;
  std::int32_t value;    // fork: a CellMode
  std::uint32_t length;  // of the text that follows
};
static_assert(sizeof(ControlHeader) == 16);

}  // namespace pyisolate
