#include "look_out.h"

#include <sched.h>

#include <algorithm>
#include <cstdlib>
#include <new>

#include "cell.h"
#include "loop.h"

namespace pyisolate {
namespace {

// With more exchanges under way than these, one of them has answered by the time that the loop polls.
constexpr std::size_t kFew = 4;
// Then others have their turn.
constexpr auto kTurn = std::chrono::microseconds(250);

}  // namespace

LookOut::LookOut() : prepare_(static_cast<uv_prepare_s*>(std::calloc(1, uv_handle_size(kUvPrepare)))) {
  if (prepare_ == nullptr) throw std::bad_alloc();
}

LookOut::~LookOut() { std::free(prepare_); }

void LookOut::start(uv_loop_s* uv) {
  uv_prepare_init(uv, prepare_);
  uv_unref(handle());
}

void LookOut::expect(Cell& cell) {
  if (expected_.size() > kFew || std::ranges::find(expected_, &cell) != expected_.end()) return;
  expected_.push_back(&cell);
  if (expected_.size() > 1) return;
  uv_prepare_start(prepare_, [](uv_prepare_s* it) {
    static_cast<Loop*>(uv_handle_get_data(reinterpret_cast<uv_handle_s*>(it)))->look_out().run();
  });
}

void LookOut::forget(Cell& cell) { std::erase(expected_, &cell); }

void LookOut::stop() {
  expected_.clear();
  uv_prepare_stop(prepare_);
}

void LookOut::run() {
  const auto turn = Clock::now() + kTurn;
  bool answered = true;
  while (answered && !expected_.empty() && expected_.size() <= kFew) {
    const auto now = Clock::now();
    if (now > turn) break;
    answered = look(now + kMoment);
  }
  for (Cell* cell : expected_) cell->stop_looking(answered);
  stop();
}

// True when an expected cell had answered and was attended to: others may be expected since.
bool LookOut::look(Clock::time_point until) {
  for (Cell* cell : expected_) cell->start_looking();
  do {
    const auto found = std::ranges::find_if(expected_, &Cell::has_answered);
    if (found != expected_.end()) {
      Cell& cell = **found;
      expected_.erase(found);
      cell.on_events(0);  // what it does to the list is for the next look
      return true;
    }
    sched_yield();  // the cell may be waiting for this very processor
  } while (Clock::now() < until);
  return false;
}

}  // namespace pyisolate
