#include "cell/process_cell.h"

#include <signal.h>
#include <unistd.h>

#include "python/guest.h"
#include "python/runtime.h"

namespace pyisolate {
namespace {

Channel* current = nullptr;
struct sigaction python_action;

// CPython's handler notes the signal; whoever sleeps on the channel must look at it.
void on_interrupt(int signal) {
  if (python_action.sa_handler != SIG_DFL && python_action.sa_handler != SIG_IGN) python_action.sa_handler(signal);
  current->wake();
}

void forward_interrupts(Channel& channel) {
  current = &channel;
  sigaction(SIGINT, nullptr, &python_action);
  struct sigaction ours = python_action;
  ours.sa_handler = on_interrupt;
  ours.sa_flags &= ~SA_RESTART;
  sigaction(SIGINT, &ours, nullptr);
}

// How long a cell waits for its sandbox before it takes itself for one of a pool.
constexpr auto kBlankAfter = std::chrono::milliseconds(2);

// A blank cell has time: it touches what every sandbox touches first, so that these pages are its own
// already when it becomes somebody's.
void while_blank(Guest& guest, PyObject* half) {
  if (guest.wait_for_request(kBlankAfter)) return;
  warm_up(half);
}

}  // namespace

void run_process_cell(Confinement& prepared, int segment, int bell, int supervisor_socket) {
  auto channel = enter_cell(prepared, segment, bell, -1, supervisor_socket);
  forward_interrupts(*channel);
  PyObject* half = PyImport_AddModule("_pyisolate_guest");
  Guest guest(
      *channel, half,
      [&](const Limits& limits) {
#ifdef PYISOLATE_UNCONFINED
        (void)limits;
        return true;
#else
        return apply_limits(limits, prepared.memory);
#endif
      },
      true);
  while_blank(guest, half);
  const int code = guest.serve();
  // No Py_Finalize: the process ends, the kernel takes everything back, and a destructor can't delay it.
  _exit(code);
}

}  // namespace pyisolate
