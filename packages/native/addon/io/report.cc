#include "report.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <utility>

#include "../system_failure.h"

namespace pyisolate::io {

Outbox::Outbox() : bell_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!bell_) throw SystemFailure("eventfd");
}

void Outbox::put(Report report) {
  std::lock_guard guard(lock_);
  unrung_ = unrung_ || waiting_.empty();
  waiting_.push_back(std::move(report));
}

std::vector<Report> Outbox::take() {
  std::uint64_t rung;
  (void)!::read(bell_.get(), &rung, sizeof rung);
  std::lock_guard guard(lock_);
  return std::exchange(waiting_, {});
}

void Outbox::ring() {
  {
    std::lock_guard guard(lock_);
    if (!std::exchange(unrung_, false)) return;
  }
  const std::uint64_t one = 1;
  (void)!::write(bell_.get(), &one, sizeof one);
}

}  // namespace pyisolate::io
