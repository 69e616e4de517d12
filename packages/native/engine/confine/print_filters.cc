#include "confine/print_filters.h"

#include <cstdio>
#include <string>

#include "confine/notify.h"
#include "confine/seccomp.h"
#include "options.h"

namespace pyisolate {
namespace {

void print_hex(const char* name, const std::vector<sock_filter>& filter) {
  std::printf("\"%s\":\"", name);
  const auto* bytes = reinterpret_cast<const unsigned char*>(filter.data());
  for (std::size_t i = 0; i < filter.size() * sizeof(sock_filter); ++i) std::printf("%02x", bytes[i]);
  std::printf("\"");
}

}  // namespace

int print_filters(int argc, char** argv) {
  ZygoteOptions options;
  std::string problem;
  if (!parse_calls(argc, argv, options, problem)) {
    std::fprintf(stderr, "pyisolate-engine filter: %s\n", problem.c_str());
    return 64;
  }
  const Profile profile = {true, options.brokered, options.allow_calls, options.deny_calls};
  const auto told = options.brokered ? told_calls(options.deny_calls) : std::vector<ToldCall>();
  const auto baseline = compile_filter(profile, told, problem);
  const auto notify = options.brokered ? compile_notify_filter(told, problem) : std::vector<sock_filter>();
  const auto lone = told.empty() ? baseline : compile_filter(without_told(profile, told), {}, problem);
  if (!problem.empty()) {
    std::fprintf(stderr, "pyisolate-engine filter: %s\n", problem.c_str());
    return 1;
  }
  std::printf("{");
  print_hex("baseline", baseline);
  std::printf(",");
  print_hex("notify", notify);
  std::printf(",");
  print_hex("loneBaseline", lone);
  std::printf("}\n");
  return 0;
}

}  // namespace pyisolate
