#pragma once

#include <cerrno>
#include <functional>
#include <string>

namespace pyisolate::probe {

// How an attempt ended: `error` is 0 for success, else the errno of the step that failed.
struct Trial {
  std::string step;
  int error = 0;

  static Trial ok() { return {}; }
  static Trial failed(const char* step, int error = errno) { return {step, error}; }
  bool good() const { return error == 0; }
};

// Runs `attempt` in a child process of its own: what it does to itself is gone with it. A child that is killed,
// as a host's own filter may do, or that hangs, has failed.
Trial in_child(const std::function<Trial()>& attempt);

}  // namespace pyisolate::probe
