#pragma once
#include <atomic>
#include <string>
#include <vector>

/// Does one system call: 0, or the errno; of `hammer` how many opens went through, of `count` the number so far.
long perform(const std::vector<std::string>& call);
/// Descriptors that are passed; -1 for a call that it doesn't know.
long perform_descriptor(const std::vector<std::string>& call);
/// The calls on sockets; -1 for one that it doesn't know.
long perform_socket(const std::vector<std::string>& call);
/// Until `stop`, calls that hammer go on.
extern std::atomic<bool> hammering;
