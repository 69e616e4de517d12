#pragma once
#include <bpf/libbpf.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "failure.h"

namespace pyisolate::bpf {

/// The reading end of a ring buffer.
class Events {
 public:
  /// The map's descriptor stays the caller's.
  explicit Events(int map);
  /// All records that are there, at most `most`; each is a copy.
  std::vector<std::vector<uint8_t>> drain(size_t most);

 private:
  struct Free {
    void operator()(ring_buffer* ring) const { ring_buffer__free(ring); }
  };
  static int take(void* self, void* record, size_t bytes);

  std::unique_ptr<ring_buffer, Free> ring_;
  std::vector<std::vector<uint8_t>> taken_;
  size_t most_ = 0;
};

}  // namespace pyisolate::bpf
