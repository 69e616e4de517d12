#pragma once

#include <memory>
#include <unordered_map>

#include "broker/events.h"
#include "loop.h"

namespace pyisolate {

class Cell;

// One epoll entry of a Loop for what its sandboxes were denied.
class Denials final : public Watcher {
 public:
  Denials();  // throws SystemFailure

  const std::shared_ptr<broker::Events>& events() const { return events_; }
  void add(std::uint64_t client, Cell& cell) { cells_[client] = &cell; }
  void remove(std::uint64_t client) { cells_.erase(client); }
  // Tells those of a cell that wait; the rest stay for later.
  void on_events(std::uint32_t events) override;

 private:
  std::shared_ptr<broker::Events> events_;
  std::unordered_map<std::uint64_t, Cell*> cells_;
};

}  // namespace pyisolate
