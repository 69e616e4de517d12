#pragma once

#include <vector>

struct _ts;

namespace pyisolate {

// The ids of the threads of `state`'s interpreter but its own. They may have ended when this returns.
std::vector<unsigned long> other_thread_ids(_ts* state);

}  // namespace pyisolate
