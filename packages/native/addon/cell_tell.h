#pragma once

#include "cell.h"

namespace pyisolate {

// Opens a batch of events at the first of them and closes it at the end of the scope.
class Cell::Batch {
 public:
  explicit Batch(CellEvents& events) : events_(events) { events_.begin_batch(); }
  ~Batch() { events_.end_batch(); }
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

 private:
  CellEvents& events_;
};

// Calls the listener. What closes the cell meanwhile only marks it: it is released afterwards.
template <typename Call>
void Cell::tell(Call&& call) {
  const auto keep = shared_from_this();
  const bool outermost = !busy_;
  busy_ = true;
  {
    Batch batch(*events_);
    call(*events_);
  }
  if (!outermost) return;
  busy_ = false;
  if (closed_ && state_ != State::gone) release();
}

}  // namespace pyisolate
