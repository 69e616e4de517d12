#pragma once

#include <string>

namespace pyisolate::probe {

// How this executable was built, as JSON: what its program headers say, and what only the compiler knows.
std::string build_json();

}  // namespace pyisolate::probe
