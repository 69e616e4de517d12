#pragma once
#include <bpf/libbpf.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "failure.h"
#include "layout.h"

namespace pyisolate::bpf {

using Bytes = std::span<const uint8_t>;

/// Instructions, and where in them a map's descriptor belongs.
struct Contract {
  Bytes instructions;
  std::vector<std::pair<uint32_t, std::string>> relocations;
};

struct CloseObject {
  void operator()(bpf_object* object) const { bpf_object__close(object); }
};
struct DestroyLink {
  void operator()(bpf_link* link) const { bpf_link__destroy(link); }
};

/// One loaded BPF object with its maps and links. Every method throws Failure. For one thread.
class Programs {
 public:
  /// Loads `path`; the programs named in `without` are left out.
  Programs(const std::string& path, const std::vector<std::string>& without);
  ~Programs();
  Programs(const Programs&) = delete;
  Programs& operator=(const Programs&) = delete;

  /// Attaches every loaded program that has a place of its own (LSM hooks); all of them or none.
  void attach();
  /// Attaches one program to the control group that the descriptor is open on.
  void attach_cgroup(const std::string& program, int cgroup);
  /// Pins every link in a folder of a BPF file system: they outlive this process.
  void pin(const std::string& folder);

  void update(const std::string& map, Bytes key, Bytes value);
  void remove(const std::string& map, Bytes key);
  std::vector<uint8_t> lookup(const std::string& map, Bytes key);

  /// Labels a thread: writes the value of its task storage. Whether it did: `unlabelled_only` leaves a label as it is.
  bool label(pid_t thread, Bytes value, bool unlabelled_only);
  /// Stores the word that says which policy is in force for a sandbox.
  void store_active(uint32_t index, uint64_t word);
  pyi_sandbox read_sandbox(uint32_t index) const;
  void write_sandbox(uint32_t index, const pyi_sandbox& value);

  /// Loads a contract as a program of the hook that `base` is attached to and puts it into `map` at `slot`.
  void load_contract(const std::string& base, const std::string& map, uint32_t slot, const Contract& contract);

  bool has_map(const std::string& map) const;
  int map_descriptor(const std::string& map) const;

 private:
  bpf_map* find(const std::string& map, Bytes key) const;
  void need_sandbox(uint32_t index) const;

  std::unique_ptr<bpf_object, CloseObject> object_;
  std::vector<std::unique_ptr<bpf_link, DestroyLink>> links_;
  pyi_sandbox* sandboxes_ = nullptr;  // of an object that has such records
};

}  // namespace pyisolate::bpf
