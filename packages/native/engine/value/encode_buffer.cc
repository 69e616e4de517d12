// bytearray, array.array and memoryview: objects whose memory is read through the buffer protocol,
// which keeps it from being resized or freed meanwhile. The base type's own slots are called,
// so that a subclass's __buffer__ isn't.
#include "encoder.h"
#include "typed_array.h"

namespace pyisolate {
namespace {

class Buffer {
 public:
  Buffer(PyObject* object, const PyBufferProcs* base)
      : base_(base), held_(base->bf_getbuffer(object, &view_, PyBUF_FULL_RO) == 0) {}
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() {
    if (!held_) return;
    if (base_->bf_releasebuffer != nullptr) base_->bf_releasebuffer(view_.obj, &view_);
    Py_CLEAR(view_.obj);
  }

  bool held() const { return held_; }
  const Py_buffer& view() const { return view_; }

 private:
  const PyBufferProcs* base_;
  Py_buffer view_{};
  bool held_;
};

}  // namespace

bool Encoder::byte_array(PyObject* value, const Step* at) {
  const Buffer buffer(value, PyByteArray_Type.tp_as_buffer);
  return buffer.held() && bytes(buffer.view().buf, buffer.view().len, at);
}

bool Encoder::typed_array(PyObject* value, const PyBufferProcs* base, const Step* at) {
  const Buffer buffer(value, base);
  if (!buffer.held()) {
    // "operation forbidden on released memoryview object" doesn't say which one.
    if (PyErr_ExceptionMatches(PyExc_ValueError) == 0) return false;
    PyErr_Clear();
    return fail(PyExc_ValueError, at, "a released memoryview can't cross to the host");
  }
  const Py_buffer& view = buffer.view();
  if (view.ndim != 1 || PyBuffer_IsContiguous(&view, 'C') == 0) {
    return fail(PyExc_TypeError, at,
                "only one-dimensional contiguous memory can cross to the host, not %d-dimensional%s", view.ndim,
                view.ndim == 1 ? " strided" : "");
  }
  const char* format = view.format != nullptr ? view.format : "B";
  const TypedArray* kind = typed_array_of_format(format, view.itemsize);
  if (kind == nullptr) {
    return fail(PyExc_TypeError, at, "memory of format '%.20s' can't cross to the host", format);
  }
  writer_.tag(kind->tag);
  return bytes(view.buf, view.len, at);
}

}  // namespace pyisolate
