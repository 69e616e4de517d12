#include "socket_marks.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace pyisolate::broker {
namespace {

std::uint64_t address_of(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

long bpf(int command, bpf_attr& attr) { return ::syscall(SYS_bpf, command, &attr, sizeof attr); }

}  // namespace

SocketMarks SocketMarks::awaited() {
  SocketMarks marks;
  marks.awaited_ = true;
  return marks;
}

bool SocketMarks::add(int map, std::span<const std::uint8_t> value, std::string& problem) {
  bpf_map_info info{};
  bpf_attr attr{};
  attr.info.bpf_fd = static_cast<std::uint32_t>(map);
  attr.info.info = address_of(&info);
  attr.info.info_len = sizeof info;
  if (bpf(BPF_OBJ_GET_INFO_BY_FD, attr) != 0) return problem = "its map is no descriptor of a BPF map", false;
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
