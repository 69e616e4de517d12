#pragma once
#include <string>

namespace pyisolate::bpf {

/// Collects what libbpf prints on this thread while it lives; only its last part when that is very much.
class LibbpfLog {
 public:
  LibbpfLog();
  ~LibbpfLog();
  LibbpfLog(const LibbpfLog&) = delete;
  LibbpfLog& operator=(const LibbpfLog&) = delete;
  const std::string& text() const { return text_; }
  void add(const char* line);

 private:
  std::string text_;
  LibbpfLog* outer_;
};

}  // namespace pyisolate::bpf
