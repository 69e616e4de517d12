#pragma once

#include <sys/types.h>

namespace pyisolate {

struct ZygoteOptions;

// Starts the engine with `control` as its descriptor 3 and `errors` as its stderr; it inherits nothing else.
// Must run on the thread whose end is to end the engine: the kernel ties a parent-death signal to it.
// Throws SystemFailure.
pid_t launch_engine(const ZygoteOptions& options, int control, int errors);

}  // namespace pyisolate
