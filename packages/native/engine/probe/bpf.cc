#include <linux/bpf.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>
#include <span>

#include "btf.h"
#include "trials.h"

namespace pyisolate::probe {
namespace {

// An ioctl command and an errno that no driver has.
constexpr int kCommand = 0x50794973;
constexpr int kVerdict = ENOTUNIQ;

constexpr bpf_insn insn(int code, int dst, int src, int off, int imm) {
  bpf_insn one{};
  one.code = static_cast<__u8>(code);
  one.dst_reg = static_cast<__u8>(dst) & 0xf;
  one.src_reg = static_cast<__u8>(src) & 0xf;
  one.off = static_cast<__s16>(off);
  one.imm = imm;
  return one;
}
constexpr bpf_insn answer_with(int value) { return insn(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, value); }
constexpr bpf_insn leave() { return insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0); }

long bpf(int command, bpf_attr& attributes) { return syscall(SYS_bpf, command, &attributes, sizeof attributes); }

int load(int type, int attach_type, std::span<const bpf_insn> code, int btf_id = 0) {
  bpf_attr attributes;
  std::memset(&attributes, 0, sizeof attributes);
  attributes.prog_type = static_cast<__u32>(type);
  attributes.expected_attach_type = static_cast<__u32>(attach_type);
  attributes.attach_btf_id = static_cast<__u32>(btf_id);
  attributes.insns = reinterpret_cast<__u64>(code.data());
  attributes.insn_cnt = static_cast<__u32>(code.size());
  attributes.license = reinterpret_cast<__u64>("GPL");
  return static_cast<int>(bpf(BPF_PROG_LOAD, attributes));
}

}  // namespace

Trial bpf_load() {
  return in_child([]() -> Trial {
    const bpf_insn code[] = {answer_with(0), leave()};
    return load(BPF_PROG_TYPE_SOCKET_FILTER, 0, code) < 0 ? Trial::failed("load") : Trial::ok();
  });
}

Trial bpf_cgroup() {
  return in_child([]() -> Trial {
    const bpf_insn code[] = {answer_with(1), leave()};
    return load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT, code) < 0 ? Trial::failed("load")
                                                                                    : Trial::ok();
  });
}

Trial bpf_lsm() {
  return in_child([]() -> Trial {
    const int hook = kernel_function_id("bpf_lsm_file_ioctl");
    if (hook < 0) return Trial::failed("kernel BTF", -hook);
    if (hook == 0) return Trial::failed("no LSM hook in the kernel's BTF", ENOSYS);
    const bpf_insn code[] = {
        insn(BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_2, BPF_REG_1, 8, 0),  // the second argument: the command
        answer_with(0),
        insn(BPF_JMP32 | BPF_JNE | BPF_K, BPF_REG_2, 0, 1, kCommand),
        answer_with(-kVerdict),
        leave(),
    };
    const int program = load(BPF_PROG_TYPE_LSM, BPF_LSM_MAC, code, hook);
    if (program < 0) return Trial::failed("load");
    bpf_attr attributes;
    std::memset(&attributes, 0, sizeof attributes);
    attributes.raw_tracepoint.prog_fd = static_cast<__u32>(program);
    // The attachment lasts as long as this descriptor, so not longer than this process.
    if (bpf(BPF_RAW_TRACEPOINT_OPEN, attributes) < 0) return Trial::failed("attach");
    int ends[2];
    if (pipe(ends) != 0) return Trial::failed("pipe");
    if (ioctl(ends[0], kCommand) == 0 || errno != kVerdict) return Trial::failed("it denies nothing", ENOTSUP);
    return Trial::ok();
  });
}

}  // namespace pyisolate::probe
