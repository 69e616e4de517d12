// What confines a cell, mechanism by mechanism: kept while it is put in place, then sent to the supervisor.
#pragma once

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

namespace pyisolate {

struct Mechanism {
  const char* name;
  bool active;
  bool essential;      // without it no guest byte runs
  std::string detail;  // what it does, or why it could not be had
};

class Report {
 public:
  void active(const char* name, bool essential, std::string detail) { put({name, true, essential, std::move(detail)}); }
  void missing(const char* name, bool essential, const std::string& step, int error) {
    put({name, false, essential, step + ": " + std::strerror(error)});
  }
  bool has(const char* name) const {
    for (const auto& m : mechanisms_) {
      if (m.active && std::strcmp(m.name, name) == 0) return true;
    }
    return false;
  }
  // The first essential mechanism that is missing, or null.
  const Mechanism* lacking() const {
    for (const auto& m : mechanisms_) {
      if (m.essential && !m.active) return &m;
    }
    return nullptr;
  }
  const std::vector<Mechanism>& mechanisms() const { return mechanisms_; }

 private:
  void put(Mechanism mechanism) {
    for (auto& m : mechanisms_) {
      if (std::strcmp(m.name, mechanism.name) == 0) {
        m = std::move(mechanism);
        return;
      }
    }
    mechanisms_.push_back(std::move(mechanism));
  }
  std::vector<Mechanism> mechanisms_;
};

}  // namespace pyisolate
