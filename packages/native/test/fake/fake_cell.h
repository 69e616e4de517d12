#pragma once

namespace pyisolate::fake {

// Runs a cell until it ends; never returns. `control` is -1 in a process cell; `late`: a shared one that takes its
// sandboxes in only after a while.
[[noreturn]] void run_cell(int memfd, int bell, int control, bool late);

}  // namespace pyisolate::fake
