#include "btf.h"

#include <fcntl.h>
#include <linux/btf.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace pyisolate::probe {
namespace {

int read_whole(const char* path, std::string& into) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  char piece[65536];
  ssize_t got;
  while ((got = read(fd, piece, sizeof piece)) > 0) into.append(piece, static_cast<std::size_t>(got));
  const int error = got < 0 ? errno : 0;
  close(fd);
  return error;
}

// Bytes that follow a btf_type, by its kind (Documentation/bpf/btf.rst, "Type Encoding").
std::size_t tail_of(const btf_type& type) {
  const std::size_t count = BTF_INFO_VLEN(type.info);
  switch (BTF_INFO_KIND(type.info)) {
    case BTF_KIND_INT: return sizeof(__u32);
    case BTF_KIND_ARRAY: return sizeof(btf_array);
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION: return count * sizeof(btf_member);
    case BTF_KIND_ENUM: return count * sizeof(btf_enum);
    case BTF_KIND_FUNC_PROTO: return count * sizeof(btf_param);
    case BTF_KIND_VAR: return sizeof(btf_var);
    case BTF_KIND_DATASEC: return count * sizeof(btf_var_secinfo);
    case 17: return sizeof(__u32);              // BTF_KIND_DECL_TAG
    case 19: return count * 3 * sizeof(__u32);  // BTF_KIND_ENUM64
    default: return 0;
  }
}

}  // namespace

int kernel_function_id(std::string_view name) {
  std::string btf;
  if (const int error = read_whole("/sys/kernel/btf/vmlinux", btf)) return -error;
  btf_header header{};
  if (btf.size() < sizeof header) return -EINVAL;
  std::memcpy(&header, btf.data(), sizeof header);
  const std::size_t types = std::size_t{header.hdr_len} + header.type_off;
  const std::size_t strings = std::size_t{header.hdr_len} + header.str_off;
  if (header.magic != BTF_MAGIC || types + header.type_len > btf.size() || strings + header.str_len > btf.size()) {
    return -EINVAL;
  }
  int id = 0;
  for (std::size_t at = types, end = types + header.type_len; at + sizeof(btf_type) <= end;) {
    btf_type type;
    std::memcpy(&type, btf.data() + at, sizeof type);
    id++;
    if (BTF_INFO_KIND(type.info) == BTF_KIND_FUNC && type.name_off < header.str_len) {
      const std::size_t start = strings + type.name_off;
      // The std::string ends with a zero of its own, whatever the file says.
      if (std::string_view(btf.data() + start) == name) return id;
    }
    at += sizeof type + tail_of(type);
  }
  return 0;
}

}  // namespace pyisolate::probe
