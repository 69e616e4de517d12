// Starts CPython in the zygote. Thread: the process's only one.
#pragma once

#include <Python.h>

#include <string>

#include "options.h"
#include "zygote/world.h"

namespace pyisolate {

// False with `problem`. `working` is told what is being done, so that a failure deeper down names it.
bool start_python(const ZygoteOptions& options, const World& world, std::string& problem);

// Imports a module by name; false with `problem`.
bool preload(const std::string& module, std::string& problem);

// Makes what exists immortal and moves it to the permanent generation (gc.freeze), so that cells don't write to its
// pages.
bool freeze(std::string& problem);

// Imports the sandbox's half written in Python into the current interpreter; a borrowed reference to the
// module `guest`, or null with an exception. `isolation`: "process" or "interpreter". `brokered`: names are resolved by
// the supervisor.
PyObject* load_guest_module(const char* isolation, bool brokered);

// Does what every sandbox does first (guest.py), before there is one. `half`: the module that was loaded.
void warm_up(PyObject* half);

// The text of the current exception, which is cleared.
std::string take_exception_text();

}  // namespace pyisolate
