#include "mailbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

#include "../system_failure.h"

namespace pyisolate::io {

Mailbox::Mailbox() : bell_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!bell_) throw SystemFailure("eventfd");
}

void Mailbox::post(Command command) {
  {
    std::lock_guard guard(lock_);
    waiting_.push_back(std::move(command));
    if (waiting_.size() > 1) return;  // rung already
  }
  const std::uint64_t one = 1;
  (void)!::write(bell_.get(), &one, sizeof one);
}

std::vector<Mailbox::Command> Mailbox::take() {
  std::lock_guard guard(lock_);
  return std::exchange(waiting_, {});
}

void Mailbox::silence() {
  std::uint64_t rung;
  (void)!::read(bell_.get(), &rung, sizeof rung);
}

}  // namespace pyisolate::io
