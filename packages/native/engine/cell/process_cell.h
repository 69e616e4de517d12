#pragma once

#include "cell/enter.h"

namespace pyisolate {

// Runs one sandbox in this process until it ends. Thread: the main one, attached.
[[noreturn]] void run_process_cell(Confinement& prepared, int segment, int bell, int supervisor_socket);

}  // namespace pyisolate
