// Sub-interpreters: made and ended on the thread that runs them.
#pragma once

#include <string>

struct _ts;  // PyThreadState

namespace pyisolate {

// A new interpreter with its own-GIL configuration (PEP 684): no fork, exec or daemon threads, only
// extension modules made for several interpreters. The calling thread, which must have no thread state,
// is attached to it. Null with `problem`.
_ts* begin_interpreter(std::string& problem);

// Ends it: from its only thread, attached. The thread has no thread state afterwards.
void end_interpreter(_ts* state);

// From now on an interpreter with an Account starts threads only up to its number (an audit hook: fairness
// among the sandboxes of a cell; the cell's own rlimit is the bound). Before other threads exist.
void limit_threads();

// How many thread states the current interpreter has beside the caller's.
int other_threads(_ts* state);

// Raises SystemExit in every thread of `state`'s interpreter but the caller's.
void end_other_threads(_ts* state);

// Raises KeyboardInterrupt (or SystemExit, when `exit`) in `thread` of the interpreter of `state`. From a
// thread with no thread state.
void raise_in(_ts* state, unsigned long thread, bool exit);

}  // namespace pyisolate
