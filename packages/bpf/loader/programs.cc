#include "programs.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "libbpf_log.h"

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL  // linux/pidfd.h, Linux 6.9
#endif

namespace pyisolate::bpf {
namespace {

constexpr size_t kVerifierLog = 1 << 20;
constexpr size_t kSandboxBytes = sizeof(pyi_sandbox) * PYI_SANDBOXES;

/// A descriptor of a thread, or of a process before Linux 6.9.
int open_pidfd(pid_t thread) {
  long fd = syscall(SYS_pidfd_open, thread, PIDFD_THREAD);
  if (fd < 0 && errno == EINVAL) fd = syscall(SYS_pidfd_open, thread, 0);
  if (fd < 0) fail("pidfd_open", errno);
  return static_cast<int>(fd);
}

}  // namespace

Programs::Programs(const std::string& path, const std::vector<std::string>& without) {
  LibbpfLog log;
  object_.reset(bpf_object__open_file(path.c_str(), nullptr));
  if (!object_) fail("open " + path, errno, log.text());
  for (const auto& name : without) {
    bpf_program* program = bpf_object__find_program_by_name(object_.get(), name.c_str());
    if (program == nullptr) fail("find " + name, ENOENT);
    bpf_program__set_autoload(program, false);
  }
  int error = bpf_object__load(object_.get());
  if (error != 0) fail("load", error, log.text());
  if (!has_map("sandboxes")) return;
  void* memory = mmap(nullptr, kSandboxBytes, PROT_READ | PROT_WRITE, MAP_SHARED, map_descriptor("sandboxes"), 0);
  if (memory == MAP_FAILED) fail("mmap", errno);
  sandboxes_ = static_cast<pyi_sandbox*>(memory);
}

Programs::~Programs() {
  if (sandboxes_ != nullptr) munmap(sandboxes_, kSandboxBytes);
}

void Programs::attach() {
  LibbpfLog log;
  std::vector<std::unique_ptr<bpf_link, DestroyLink>> made;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object_.get()) {
    if (!bpf_program__autoload(program)) continue;
    bpf_link* link = bpf_program__attach(program);
    if (link == nullptr) fail(std::string("attach ") + bpf_program__name(program), errno, log.text());
    made.emplace_back(link);
  }
  for (auto& link : made) links_.push_back(std::move(link));
}

void Programs::attach_cgroup(const std::string& name, int cgroup) {
  LibbpfLog log;
  bpf_program* program = bpf_object__find_program_by_name(object_.get(), name.c_str());
  if (program == nullptr) fail("find " + name, ENOENT);
  bpf_link* link = bpf_program__attach_cgroup(program, cgroup);
  if (link == nullptr) fail("attach " + name, errno, log.text());
  links_.emplace_back(link);
}

void Programs::pin(const std::string& folder) {
  LibbpfLog log;
  for (size_t i = 0; i < links_.size(); i++) {
    int error = bpf_link__pin(links_[i].get(), (folder + "/link-" + std::to_string(i)).c_str());
    if (error != 0) fail("pin", error, log.text());
  }
}

bpf_map* Programs::find(const std::string& name, Bytes key) const {
  bpf_map* map = bpf_object__find_map_by_name(object_.get(), name.c_str());
  if (map == nullptr) fail("find " + name, ENOENT);
  if (bpf_map__key_size(map) != key.size()) fail("key of " + name, EINVAL);
  return map;
}

void Programs::update(const std::string& name, Bytes key, Bytes value) {
  bpf_map* map = find(name, key);
  if (bpf_map__value_size(map) != value.size()) fail("value of " + name, EINVAL);
  if (bpf_map_update_elem(bpf_map__fd(map), key.data(), value.data(), BPF_ANY) != 0) fail("update " + name, errno);
}

void Programs::remove(const std::string& name, Bytes key) {
  if (bpf_map_delete_elem(bpf_map__fd(find(name, key)), key.data()) != 0) fail("delete from " + name, errno);
}

std::vector<uint8_t> Programs::lookup(const std::string& name, Bytes key) {
  bpf_map* map = find(name, key);
  std::vector<uint8_t> value(bpf_map__value_size(map));
  if (bpf_map_lookup_elem(bpf_map__fd(map), key.data(), value.data()) != 0) fail("look up in " + name, errno);
  return value;
}

bool Programs::label(pid_t thread, Bytes value, bool unlabelled_only) {
  int pidfd = open_pidfd(thread);
  bpf_map* map = find("tasks", {reinterpret_cast<const uint8_t*>(&pidfd), sizeof(pidfd)});
  const bool fits = bpf_map__value_size(map) == value.size();
  const int error =
      !fits ? EINVAL
      : bpf_map_update_elem(bpf_map__fd(map), &pidfd, value.data(), unlabelled_only ? BPF_NOEXIST : BPF_ANY) != 0
          ? errno
          : 0;
  close(pidfd);
  if (error == EEXIST && unlabelled_only) return false;
  if (error != 0) fail("update tasks", error);
  return true;
}

void Programs::need_sandbox(uint32_t index) const {
  if (sandboxes_ == nullptr || index >= PYI_SANDBOXES) fail("sandbox", EINVAL);
}

void Programs::store_active(uint32_t index, uint64_t word) {
  need_sandbox(index);
  __atomic_store_n(&sandboxes_[index].active, word, __ATOMIC_SEQ_CST);
}

pyi_sandbox Programs::read_sandbox(uint32_t index) const {
  need_sandbox(index);
  return sandboxes_[index];
}

void Programs::write_sandbox(uint32_t index, const pyi_sandbox& value) {
  need_sandbox(index);
  sandboxes_[index] = value;
}

void Programs::load_contract(const std::string& base, const std::string& map, uint32_t slot, const Contract& contract) {
  bpf_program* program = bpf_object__find_program_by_name(object_.get(), base.c_str());
  if (program == nullptr) fail("find " + base, ENOENT);
  bpf_prog_info info{};
  uint32_t length = sizeof(info);
  if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &length) != 0) fail("information of " + base, errno);
  std::vector<bpf_insn> instructions(contract.instructions.size() / sizeof(bpf_insn));
  memcpy(instructions.data(), contract.instructions.data(), instructions.size() * sizeof(bpf_insn));
  for (const auto& [at, name] : contract.relocations) {
    if (at >= instructions.size()) fail("relocation", EINVAL);
    instructions[at].src_reg = BPF_PSEUDO_MAP_FD;
    instructions[at].imm = map_descriptor(name);
  }
  std::string log(kVerifierLog, '\0');
  LIBBPF_OPTS(bpf_prog_load_opts, options);
  options.expected_attach_type = BPF_LSM_MAC;
  options.attach_btf_id = info.attach_btf_id;
  int fd = bpf_prog_load(BPF_PROG_TYPE_LSM, "pyi_contract", "GPL", instructions.data(), instructions.size(), &options);
  if (fd < 0) {
    // Once more, for the verifier's reasons: writing them down makes a good load slow.
    options.log_level = 1;
    options.log_buf = log.data();
    options.log_size = static_cast<uint32_t>(log.size());
    fd = bpf_prog_load(BPF_PROG_TYPE_LSM, "pyi_contract", "GPL", instructions.data(), instructions.size(), &options);
  }
  if (fd < 0) fail("load contract", fd, log.c_str());
  int error = bpf_map_update_elem(map_descriptor(map), &slot, &fd, BPF_ANY) == 0 ? 0 : errno;
  close(fd);
  if (error != 0) fail("update " + map, error);
}

bool Programs::has_map(const std::string& name) const {
  return bpf_object__find_map_by_name(object_.get(), name.c_str()) != nullptr;
}

int Programs::map_descriptor(const std::string& name) const {
  int fd = bpf_object__find_map_fd_by_name(object_.get(), name.c_str());
  if (fd < 0) fail("find " + name, fd);
  return fd;
}

}  // namespace pyisolate::bpf
