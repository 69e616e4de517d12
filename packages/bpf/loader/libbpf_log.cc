#include "libbpf_log.h"

#include <bpf/libbpf.h>

#include <cstdarg>
#include <cstdio>
#include <mutex>

namespace pyisolate::bpf {
namespace {

constexpr size_t kMost = 1 << 20;
thread_local LibbpfLog* current = nullptr;

int print(libbpf_print_level level, const char* format, va_list arguments) {
  if (level == LIBBPF_DEBUG || current == nullptr) return 0;
  va_list again;
  va_copy(again, arguments);
  int length = vsnprintf(nullptr, 0, format, again);
  va_end(again);
  if (length <= 0) return 0;
  std::string line(static_cast<size_t>(length) + 1, '\0');
  vsnprintf(line.data(), line.size(), format, arguments);
  current->add(line.c_str());
  return length;
}

}  // namespace

LibbpfLog::LibbpfLog() : outer_(current) {
  static std::once_flag once;
  std::call_once(once, [] { libbpf_set_print(print); });
  current = this;
}

LibbpfLog::~LibbpfLog() { current = outer_; }

void LibbpfLog::add(const char* line) {
  text_ += line;
  if (text_.size() > kMost) text_.erase(0, text_.size() - kMost);
}

}  // namespace pyisolate::bpf
