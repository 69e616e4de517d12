#pragma once

namespace pyisolate::fake {

// Runs a cell until it ends; never returns. `control` is -1 in a process cell.
[[noreturn]] void run_cell(int memfd, int bell, int control);

}  // namespace pyisolate::fake
