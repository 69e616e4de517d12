#include "ring_events.h"

#include <cerrno>

namespace pyisolate::bpf {

Events::Events(int map) : ring_(ring_buffer__new(map, take, this, nullptr)) {
  if (!ring_) fail("ring_buffer__new", errno);
}

// A negative answer ends the reading; the record counts as read.
int Events::take(void* self, void* record, size_t bytes) {
  auto* events = static_cast<Events*>(self);
  const auto* begin = static_cast<const uint8_t*>(record);
  events->taken_.emplace_back(begin, begin + bytes);
  return events->taken_.size() < events->most_ ? 0 : -ECANCELED;
}

std::vector<std::vector<uint8_t>> Events::drain(size_t most) {
  taken_.clear();
  most_ = most;
  int read = ring_buffer__consume(ring_.get());
  if (read < 0 && read != -ECANCELED) fail("ring_buffer__consume", read);
  return std::move(taken_);
}

}  // namespace pyisolate::bpf
