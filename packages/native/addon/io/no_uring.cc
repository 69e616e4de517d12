// In place of uring_backend.cc where liburing was not found at build time.
#include <cerrno>

#include "../system_failure.h"
#include "backend.h"

namespace pyisolate::io {

std::unique_ptr<Backend> make_uring(std::shared_ptr<Mailbox>, Sink&) { throw SystemFailure("io_uring_setup", ENOSYS); }

}  // namespace pyisolate::io
