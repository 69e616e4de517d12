#pragma once

#include <cerrno>
#include <exception>

namespace pyisolate {

// A system call failed. Becomes the JavaScript `SystemError` at the barrier in js_barrier.h.
class SystemFailure : public std::exception {
 public:
  explicit SystemFailure(const char* call, int error = errno) : call_(call), error_(error) {}
  const char* what() const noexcept override { return call_; }
  int error() const { return error_; }

 private:
  const char* call_;  // always a literal
  int error_;
};

}  // namespace pyisolate
