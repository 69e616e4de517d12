#include "options.h"

#include <charconv>
#include <cstring>

namespace pyisolate {

namespace {

bool take_call_option(const std::string& name, const std::string& value, ZygoteOptions& options) {
  if (name == "--broker" && value == "files-and-sockets") {
    options.brokered = true;
  } else if (name == "--allow-call") {
    options.allow_calls.push_back(value);
  } else if (name == "--deny-call") {
    options.deny_calls.push_back(value);
  } else {
    return false;
  }
  return true;
}

}  // namespace

bool parse_calls(int argc, char** argv, ZygoteOptions& options, std::string& problem) {
  for (int i = 0; i < argc; i += 2) {
    if (i + 1 < argc && take_call_option(argv[i], argv[i + 1], options)) continue;
    problem = std::string("unknown option ") + argv[i];
    return false;
  }
  return true;
}

bool parse_options(int argc, char** argv, ZygoteOptions& options, std::string& problem) {
  for (int i = 0; i < argc; i += 2) {
    const std::string name = argv[i];
    if (i + 1 >= argc) {
      problem = name + " needs a value";
      return false;
    }
    const std::string value = argv[i + 1];
    if (name == "--supervisor") {
      const auto end = value.data() + value.size();
      if (std::from_chars(value.data(), end, options.supervisor).ptr != end) {
        problem = "--supervisor needs a pid, got " + value;
        return false;
      }
    } else if (name == "--home") {
      options.home = value;
    } else if (name == "--stdlib") {
      options.stdlib = value;
    } else if (name == "--read") {
      options.read_paths.push_back(value);
    } else if (name == "--path") {
      options.module_paths.push_back(value);
    } else if (name == "--preload") {
      options.preload.push_back(value);
    } else if (name == "--without") {
      options.without.push_back(value);
    } else if (take_call_option(name, value, options)) {
    } else {
      problem = "unknown option " + name;
      return false;
    }
  }
  if (options.home.empty() || options.stdlib.empty()) {
    problem = "--home and --stdlib are needed";
    return false;
  }
  for (const auto* paths : {&options.read_paths, &options.module_paths}) {
    for (const std::string& path : *paths) {
      if (path.empty() || path[0] != '/') {
        problem = "a granted path must be absolute, got " + path;
        return false;
      }
    }
  }
  return true;
}

}  // namespace pyisolate
