#pragma once

#include <string>

namespace pyisolate::fake {

// Runs a cell until it ends; never returns. `control` is -1 in a process cell. `misbehave`: `late`, for a shared
// cell that takes its sandboxes in only after a while, or a `hello-…` of wire.cc.
[[noreturn]] void run_cell(int memfd, int bell, int control, const std::string& misbehave);

}  // namespace pyisolate::fake
