#include "socket_marks.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace pyisolate::broker {
namespace {

std::uint64_t address_of(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

long bpf(int command, bpf_attr& attr) { return ::syscall(SYS_bpf, command, &attr, sizeof attr); }

bool information(int map, bpf_map_info& info) {
  bpf_attr attr{};
  attr.info.bpf_fd = static_cast<std::uint32_t>(map);
  attr.info.info = address_of(&info);
  attr.info.info_len = sizeof info;
  return bpf(BPF_OBJ_GET_INFO_BY_FD, attr) == 0;
}

}  // namespace

SocketMarks SocketMarks::awaited() {
  SocketMarks marks;
  marks.awaited_ = true;
  return marks;
}

bool SocketMarks::add(int map, std::span<const std::uint8_t> value, std::string& problem) {
  bpf_map_info info{};
  if (!information(map, info)) return problem = "its map is no descriptor of a BPF map", false;
  // What a listener accepts must have it as well.
  if (info.type != BPF_MAP_TYPE_SK_STORAGE || (info.map_flags & BPF_F_CLONE) == 0)
    return problem = "its map must be of type SK_STORAGE, with BPF_F_CLONE", false;
  // The kernel reads as many bytes as the map says.
  if (info.value_size != value.size())
    return problem = "its value must have " + std::to_string(info.value_size) + " bytes, as its map's have", false;
  UniqueFd copy(::fcntl(map, F_DUPFD_CLOEXEC, 0));
  if (!copy) return problem = "its map can't be kept open", false;
  marks_.push_back({std::move(copy), {value.begin(), value.end()}});
  return true;
}

bool SocketMarks::count_in(int map, std::uint32_t index, std::uint32_t sent_at, std::uint32_t received_at,
                           std::string& problem) {
  bpf_map_info info{};
  constexpr std::uint64_t kWord = sizeof(std::uint64_t);
  if (!information(map, info) || info.type != BPF_MAP_TYPE_ARRAY || index >= info.max_entries ||
      std::max(sent_at, received_at) + kWord > info.value_size)
    return problem = "it is counted in no record of a BPF array", false;
  UniqueFd copy(::fcntl(map, F_DUPFD_CLOEXEC, 0));
  if (!copy) return problem = "its counters can't be kept open", false;
  counts_.push_back({std::move(copy), index, sent_at, received_at, info.value_size});
  return true;
}

SocketBytes SocketMarks::bytes() const {
  SocketBytes bytes;
  for (const Count& count : counts_) {
    std::vector<std::uint8_t> record(count.size);
    bpf_attr attr{};
    attr.map_fd = static_cast<std::uint32_t>(count.map.get());
    attr.key = address_of(&count.index);
    attr.value = address_of(record.data());
    SocketBytes own{~0ull, ~0ull};  // what can't be looked up breaks whatever bounds it
    if (bpf(BPF_MAP_LOOKUP_ELEM, attr) == 0) {
      std::memcpy(&own.sent, record.data() + count.sent_at, sizeof own.sent);
      std::memcpy(&own.received, record.data() + count.received_at, sizeof own.received);
    }
    bytes.sent = std::max(bytes.sent, own.sent);
    bytes.received = std::max(bytes.received, own.received);
  }
  return bytes;
}

int SocketMarks::put(int socket) const {
  if (awaited_) return EACCES;
  for (const Mark& mark : marks_) {
    bpf_attr attr{};
    attr.map_fd = static_cast<std::uint32_t>(mark.map.get());
    attr.key = address_of(&socket);
    attr.value = address_of(mark.value.data());
    attr.flags = BPF_ANY;
    if (bpf(BPF_MAP_UPDATE_ELEM, attr) != 0) return errno;
  }
  return 0;
}

}  // namespace pyisolate::broker
