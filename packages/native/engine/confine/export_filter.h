// Filters as libseccomp makes them: rules by name, instructions out.
#pragma once

#include <linux/filter.h>
#include <seccomp.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace pyisolate {

using FilterContext = std::unique_ptr<void, void (*)(scmp_filter_ctx)>;

class FilterRules {
 public:
  // `denied`: calls for which no rule is taken, so that the filter's default holds.
  explicit FilterRules(scmp_filter_ctx context, std::vector<std::string> denied = {})
      : context_(context), denied_(std::move(denied)) {}

  template <class... Compare>
  void allow(const char* name, Compare... compare) {
    add(SCMP_ACT_ALLOW, name, compare...);
  }
  template <class... Compare>
  void add(std::uint32_t action, const char* name, Compare... compare) {
    for (const std::string& denied : denied_) {
      if (denied == name) return;
    }
    const int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR || number < 0) return;  // not on this architecture, or newer than libseccomp
    const int error = seccomp_rule_add(context_, action, number, sizeof...(compare), compare...);
    if (error != 0 && error_ == 0) error_ = -error, failed_ = name;
  }
  int error() const { return error_; }
  const char* failed() const { return failed_; }

 private:
  scmp_filter_ctx context_;
  const std::vector<std::string> denied_;
  int error_ = 0;
  const char* failed_ = "";
};

// Empty, with `problem`, when a rule was refused or the filter can't be had.
std::vector<sock_filter> export_filter(scmp_filter_ctx context, const FilterRules& rules, std::string& problem);

}  // namespace pyisolate
