#pragma once

#include "cell/enter.h"

namespace pyisolate {

// Runs the sandboxes of one shared cell, each in an interpreter and on a thread of its own, until the
// supervisor closes the cell. Thread: the main one, attached; it keeps the main interpreter, in which no
// guest runs, and turns to the supervisor's control socket (new sandboxes) and SIGINT (interrupts).
[[noreturn]] void run_interpreter_cell(Confinement& prepared, int segment, int bell, int control,
                                       int supervisor_socket);

}  // namespace pyisolate
