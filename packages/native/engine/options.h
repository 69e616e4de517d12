// What the engine is told on its command line.
#pragma once

#include <string>
#include <vector>

namespace pyisolate {

struct ZygoteOptions {
  int supervisor = 0;                     // pid that must still be our parent
  std::string home;                       // CPython's prefix
  std::string stdlib;                     // its library folder
  std::vector<std::string> read_paths;    // further files and folders that guests may read
  std::vector<std::string> module_paths;  // the same, and on sys.path
  std::vector<std::string> preload;       // modules imported before the first fork
  std::vector<std::string> without;       // mechanisms to act as if the kernel lacked them (only takes away)
  bool brokered = false;                  // calls on files and sockets go to the supervisor's broker
  std::vector<std::string> allow_calls;   // system calls beside those of the profile
  std::vector<std::string> deny_calls;    // system calls of the profile that guests go without
};

// Only the options that change system call filters. Returns false and says why in `problem`.
bool parse_calls(int argc, char** argv, ZygoteOptions& options, std::string& problem);

// Returns false and says why in `problem`.
bool parse_options(int argc, char** argv, ZygoteOptions& options, std::string& problem);

}  // namespace pyisolate
