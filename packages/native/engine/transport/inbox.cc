#include "transport/inbox.h"

namespace pyisolate {

void Inbox::sort(Frame&& frame) {
  switch (frame.type) {
    case FrameType::message: messages_.push_back(std::move(frame)); break;
    case FrameType::reply:
    case FrameType::reply_error:
      if (const auto awaited = replies_.find(frame.id); awaited != replies_.end()) awaited->second = std::move(frame);
      break;
    case FrameType::close:
      closed_ = true;
      requests_.push_back(std::move(frame));
      break;
    default: requests_.push_back(std::move(frame));
  }
}

Inbox::Wait Inbox::wait(const Take& take, Frame& out, const Deadline& until, const Interrupted& interrupted,
                        bool even_closed) {
  std::unique_lock lock(lock_);
  for (;;) {
    if (take(out)) return Wait::got;
    if (closed_ && !even_closed) return Wait::closed;
    if (until && Clock::now() >= *until) return Wait::timeout;
    bool disturbed = false;
    if (!led_) {
      led_ = true;
      lock.unlock();
      std::optional<Frame> frame;
      try {
        frame = channel_.read(until);
      } catch (...) {  // no memory for a frame: others must not wait for a leader that is gone
        lock.lock();
        led_ = false;
        changed_.notify_all();
        throw;
      }
      lock.lock();
      led_ = false;
      disturbed = !frame.has_value();
      if (frame) sort(std::move(*frame));
      changed_.notify_all();
    } else if (until) {
      disturbed = changed_.wait_until(lock, *until) == std::cv_status::no_timeout;
    } else {
      changed_.wait(lock);
      disturbed = true;
    }
    if (disturbed) {
      lock.unlock();
      const bool stop = interrupted();
      lock.lock();
      if (stop) return Wait::interrupted;
    }
  }
}

Inbox::Wait Inbox::request(Frame& out, const Interrupted& interrupted) {
  return wait(
      [this](Frame& to) {
        if (requests_.empty()) return false;
        to = std::move(requests_.front());
        requests_.pop_front();
        return true;
      },
      out, std::nullopt, interrupted, true);
}

bool Inbox::has_request(const Deadline& until) {
  Frame none;
  return wait([this](Frame&) { return !requests_.empty(); }, none, until, [] { return false; }, true) == Wait::got;
}

Inbox::Wait Inbox::message(Frame& out, const Deadline& until, const Interrupted& interrupted) {
  return wait(
      [this](Frame& to) {
        if (messages_.empty()) return false;
        to = std::move(messages_.front());
        messages_.pop_front();
        channel_.took_message(to.payload.size());
        return true;
      },
      out, until, interrupted, false);
}

Inbox::Awaited::Awaited(Inbox& inbox, std::uint64_t id) : inbox_(inbox), id_(id) {
  std::lock_guard guard(inbox_.lock_);
  inbox_.replies_.emplace(id, std::nullopt);
}

Inbox::Awaited::~Awaited() {
  std::lock_guard guard(inbox_.lock_);
  inbox_.replies_.erase(id_);
}

Inbox::Wait Inbox::reply(std::uint64_t id, Frame& out, const Interrupted& interrupted) {
  return wait(
      [this, id](Frame& to) {
        const auto found = replies_.find(id);
        if (found == replies_.end() || !found->second) return false;
        to = std::move(*found->second);
        found->second.reset();
        return true;
      },
      out, std::nullopt, interrupted, false);
}

}  // namespace pyisolate
