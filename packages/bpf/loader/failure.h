#pragma once
#include <string>
#include <utility>

namespace pyisolate::bpf {

/// A call of libbpf or of the kernel failed.
struct Failure {
  std::string call;   ///< what was tried, `load`, `attach pyi_file_open`
  int error;          ///< an errno
  std::string log{};  ///< what libbpf and the verifier said
};

[[noreturn]] inline void fail(std::string call, int error, std::string log = {}) {
  throw Failure{std::move(call), error < 0 ? -error : error, std::move(log)};
}

}  // namespace pyisolate::bpf
