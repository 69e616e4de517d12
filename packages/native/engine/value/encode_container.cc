#include <algorithm>
#include <string_view>
#include <unordered_set>

#include "dict_snapshot.h"
#include "encoder.h"
#include "py_ref.h"

namespace pyisolate {
namespace {

// Of these types no two different values encode alike; of others they may (two NaNs, a naive and an
// aware datetime, a str subclass with its own __eq__), and a decoder refuses that.
bool never_collides(PyObject* key) {
  return PyUnicode_CheckExact(key) || PyLong_CheckExact(key) || PyBytes_CheckExact(key) || PyBool_Check(key) ||
         key == Py_None;
}

struct Nested {  // counts one level for the duration of a scope
  explicit Nested(std::uint32_t& depth) : depth_(depth) { ++depth_; }
  ~Nested() { --depth_; }
  std::uint32_t& depth_;
};

}  // namespace

bool Encoder::enter(PyObject* container, std::uint64_t children, const Step* at) {
  if (depth_ >= max_depth_) {
    for (const Step* step = at; step != nullptr; step = step->up) {
      if (step->container == container) {
        return fail(PyExc_RecursionError, at, "the container holds itself");
      }
    }
    return fail(PyExc_RecursionError, at, "nested deeper than %u levels", max_depth_);
  }
  return take_items(children, at);
}

// Another thread may change the list meanwhile, so its items are copied at one instant.
bool Encoder::list(PyObject* value, const Step* at) {
  if (!affordable(static_cast<std::uint64_t>(PyList_GET_SIZE(value)), at)) return false;
  const PyRef items(PyList_AsTuple(value));
  return items && tuple(items.get(), value, Step::Kind::index, at);
}

bool Encoder::tuple(PyObject* items, PyObject* container, Step::Kind kind, const Step* at) {
  const Py_ssize_t count = PyTuple_GET_SIZE(items);
  if (!enter(container, static_cast<std::uint64_t>(count), at)) return false;
  const Nested nested(depth_);
  writer_.array(static_cast<std::uint64_t>(count));
  Step step{.up = at, .container = container, .kind = kind};
  for (; step.index < count; ++step.index) {
    if (!encode(PyTuple_GET_ITEM(items, step.index), &step)) return false;
  }
  return true;
}

bool Encoder::set(PyObject* value, const Step* at) {
  if (!affordable(static_cast<std::uint64_t>(PySet_GET_SIZE(value)), at)) return false;
  // Copying takes the set's lock and uses stored hashes; only the copy is iterated.
  const PyRef copy(PyFrozenSet_New(value));
  const PyRef items(copy ? PySequence_Tuple(copy.get()) : nullptr);
  if (!items) return false;
  writer_.tag(cbor::kTagSet);

  const Py_ssize_t count = PyTuple_GET_SIZE(items.get());
  bool plain = true;
  for (Py_ssize_t i = 0; i < count && plain; ++i) {
    plain = never_collides(PyTuple_GET_ITEM(items.get(), i));
  }
  if (plain) return tuple(items.get(), value, Step::Kind::element, at);

  if (!enter(value, static_cast<std::uint64_t>(count), at)) return false;
  const Nested nested(depth_);
  writer_.array(static_cast<std::uint64_t>(count));
  std::vector<std::size_t> spans;
  const Step step{.up = at, .container = value, .kind = Step::Kind::element};
  for (Py_ssize_t i = 0; i < count; ++i) {
    spans.push_back(writer_.out().size());
    if (!encode(PyTuple_GET_ITEM(items.get(), i), &step)) return false;
    spans.push_back(writer_.out().size());
  }
  return distinct(spans, at, "elements");
}

bool Encoder::dict(PyObject* value, const Step* at) {
  if (!affordable(2 * static_cast<std::uint64_t>(PyDict_GET_SIZE(value)), at)) return false;
  DictSnapshot pairs;
  if (!pairs.take(value) || !enter(value, 2 * static_cast<std::uint64_t>(pairs.size()), at)) return false;
  const Nested nested(depth_);
  writer_.map(static_cast<std::uint64_t>(pairs.size()));
  bool plain = true;
  for (Py_ssize_t i = 0; i < pairs.size() && plain; ++i) plain = never_collides(pairs.key(i));
  std::vector<std::size_t> spans;
  Step step{.up = at, .container = value};
  for (Py_ssize_t i = 0; i < pairs.size(); ++i) {
    step.key = pairs.key(i);
    step.kind = Step::Kind::key_of;
    if (!plain) spans.push_back(writer_.out().size());
    if (!encode(step.key, &step)) return false;
    if (!plain) spans.push_back(writer_.out().size());
    step.kind = Step::Kind::value_of;
    if (!encode(pairs.value(i), &step)) return false;
  }
  return plain || distinct(spans, at, "keys");
}

bool Encoder::distinct(const std::vector<std::size_t>& spans, const Step* at, const char* what) {
  const char* base = reinterpret_cast<const char*>(writer_.out().data());
  std::unordered_set<std::string_view> seen;
  for (std::size_t i = 0; i < spans.size(); i += 2) {
    if (!seen.emplace(base + spans[i], spans[i + 1] - spans[i]).second) {
      return fail(PyExc_ValueError, at, "two of its %s are the same to the host", what);
    }
  }
  return true;
}

}  // namespace pyisolate
