#pragma once

namespace pyisolate {

// The zygote's life: enters its world, starts CPython, forks cells on demand until the supervisor is gone.
// Returns the exit status.
int run_zygote(int argc, char** argv);

}  // namespace pyisolate
