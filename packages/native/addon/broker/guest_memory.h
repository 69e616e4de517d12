#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace pyisolate::broker {

// What a call's pointers point at. An interface, so that decoding can be fuzzed without a process.
class Memory {
 public:
  virtual ~Memory() = default;
  // All of it, or false.
  virtual bool read(std::uint64_t from, void* to, std::size_t bytes) = 0;
  virtual bool write(std::uint64_t to, const void* from, std::size_t bytes) = 0;
  // A text up to its NUL, at most PATH_MAX with it. 0, EFAULT or ENAMETOOLONG.
  int text(std::uint64_t from, std::string& to);
};

// Of a thread, by process_vm_readv(2) and process_vm_writev(2).
class GuestMemory final : public Memory {
 public:
  explicit GuestMemory(pid_t thread) : thread_(thread) {}
  bool read(std::uint64_t from, void* to, std::size_t bytes) override;
  bool write(std::uint64_t to, const void* from, std::size_t bytes) override;

 private:
  pid_t thread_;
};

}  // namespace pyisolate::broker
