// UTF-8 from a str's own storage. A str is immutable, so this needs no lock; and unlike
// PyUnicode_AsUTF8AndSize it leaves no second copy cached in the guest's object.
#pragma once

#include <Python.h>

#include <cstdint>

namespace pyisolate {

// The size of `text` as UTF-8, or -1 at a lone surrogate, whose index is put in `surrogate`.
Py_ssize_t utf8_size(PyObject* text, Py_ssize_t& surrogate);

// Writes exactly utf8_size(text) bytes.
void utf8_write(PyObject* text, std::uint8_t* out);

}  // namespace pyisolate
