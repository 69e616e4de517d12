#include "denials.h"

#include <sys/eventfd.h>

#include "cell.h"
#include "system_failure.h"

namespace pyisolate {

Denials::Denials() {
  UniqueFd bell(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!bell) throw SystemFailure("eventfd");
  events_ = std::make_shared<broker::Events>(std::move(bell));
}

void Denials::on_events(std::uint32_t) {
  for (const broker::Event& event : events_->take()) {
    const auto found = cells_.find(event.client);  // each time: a listener may end any of them
    if (found != cells_.end()) found->second->shared_from_this()->on_denied(event);
  }
}

}  // namespace pyisolate
