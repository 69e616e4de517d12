#include "python/refusals.h"

#include <Python.h>
#include <pthread.h>
#include <sys/mman.h>

#include <cerrno>

#include "python/account.h"
#include "python/guest.h"

namespace pyisolate {
namespace {

std::atomic<Guest*> only{nullptr};  // of a process cell

// What an errno, about to become an OSError, says of a limit.
void look_at_errno() {
  switch (errno) {
    case EMFILE: return note_refusal(Refused::open_files);
    case EFBIG: return note_refusal(Refused::file_size);
    case ENOMEM: return note_refusal(Refused::memory);
    default: return;
  }
}

// pthread_create(3) says EAGAIN for want of a stack, too.
bool has_room_for_stack(const pthread_attr_t* attributes) {
  pthread_attr_t defaults;
  std::size_t bytes = 0;
  if (attributes != nullptr) {
    pthread_attr_getstacksize(attributes, &bytes);
  } else if (pthread_getattr_default_np(&defaults) == 0) {
    pthread_attr_getstacksize(&defaults, &bytes);
    pthread_attr_destroy(&defaults);
  }
  void* at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) return false;
  munmap(at, bytes);
  return true;
}

}  // namespace

Guest* current_guest() {
  if (Guest* guest = only.load(std::memory_order_acquire)) return guest;
  const Account* account = current_account();
  return account == nullptr ? nullptr : account->guest.load(std::memory_order_acquire);
}

void become_current(Guest* guest) {
  if (Account* account = current_account()) {
    account->guest.store(guest, std::memory_order_release);
  } else {
    only.store(guest, std::memory_order_release);
  }
}

void note_refusal(Refused what) noexcept {
  const int saved = errno;
  if (Guest* guest = current_guest()) guest->refused(what);
  errno = saved;
}

}  // namespace pyisolate

// The linker sends CPython's calls of these here (ld(1), --wrap): nothing is added to a call that doesn't fail. What
// extension modules of other files raise goes past them, and is told when it ends a call.
extern "C" {

PyObject* __real_PyErr_SetFromErrno(PyObject* type);
PyObject* __wrap_PyErr_SetFromErrno(PyObject* type) {
  pyisolate::look_at_errno();
  return __real_PyErr_SetFromErrno(type);
}

PyObject* __real_PyErr_SetFromErrnoWithFilename(PyObject* type, const char* name);
PyObject* __wrap_PyErr_SetFromErrnoWithFilename(PyObject* type, const char* name) {
  pyisolate::look_at_errno();
  return __real_PyErr_SetFromErrnoWithFilename(type, name);
}

PyObject* __real_PyErr_SetFromErrnoWithFilenameObject(PyObject* type, PyObject* name);
PyObject* __wrap_PyErr_SetFromErrnoWithFilenameObject(PyObject* type, PyObject* name) {
  pyisolate::look_at_errno();
  return __real_PyErr_SetFromErrnoWithFilenameObject(type, name);
}

PyObject* __real_PyErr_SetFromErrnoWithFilenameObjects(PyObject* type, PyObject* name, PyObject* other);
PyObject* __wrap_PyErr_SetFromErrnoWithFilenameObjects(PyObject* type, PyObject* name, PyObject* other) {
  pyisolate::look_at_errno();
  return __real_PyErr_SetFromErrnoWithFilenameObjects(type, name, other);
}

int __real_pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*), void* argument);
int __wrap_pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*), void* argument) {
  const int error = __real_pthread_create(thread, attributes, start, argument);
  if (error == EAGAIN) {
    using pyisolate::Refused;
    pyisolate::note_refusal(pyisolate::has_room_for_stack(attributes) ? Refused::threads : Refused::memory);
  }
  return error;
}

}  // extern "C"
