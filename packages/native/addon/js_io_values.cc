#include "js_io_values.h"

#include <netinet/in.h>
#include <sys/un.h>

#include <cmath>
#include <cstddef>
#include <cstring>

#include "broker/address.h"

namespace pyisolate {
namespace {

constexpr double kMostInteger = 9007199254740991.0;

}  // namespace

std::uint64_t need_integer(const Napi::Value& value, const char* what) {
  const double number = need_number(value, what);
  if (!(number >= 0 && number <= kMostInteger && number == std::floor(number)))
    throw Napi::TypeError::New(value.Env(), std::string(what) + " must be an integer in range");
  return static_cast<std::uint64_t>(number);
}

io::Clock::time_point need_deadline(const Napi::Value& value) {
  const double ms = need_number(value, "timeout");
  if (std::isnan(ms) || ms < 0) throw Napi::TypeError::New(value.Env(), "timeout must not be negative");
  if (ms > 1e12) return io::kNever;
  return io::Clock::now() + std::chrono::microseconds(static_cast<std::int64_t>(ms * 1000));
}

std::vector<std::uint8_t> need_payload(const Napi::Value& value) {
  const auto bytes = need_bytes(value, "bytes");
  return {bytes.begin(), bytes.end()};
}

Place need_place(const Napi::Value& value) {
  const auto from = need_object(value, "address");
  Place place;
  if (from.Has("path")) {
    const auto path = need_string(from.Get("path"), "path");
    auto& to = reinterpret_cast<sockaddr_un&>(place.address);
    if (path.empty() || path.size() >= sizeof to.sun_path)
      throw Napi::TypeError::New(value.Env(), "path must have 1 to 107 bytes");
    to.sun_family = AF_UNIX;
    std::memcpy(to.sun_path, path.data(), path.size());
    const bool abstract = path[0] == '@';
    if (abstract) to.sun_path[0] = '\0';
    place.bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + (abstract ? 0 : 1));
    return place;
  }
  const auto parsed = broker::parse_address(need_string(from.Get("host"), "host"));
  if (!parsed) throw Napi::TypeError::New(value.Env(), "host must be an IPv4 or IPv6 address");
  const auto port = htons(static_cast<std::uint16_t>(need_uint32(from.Get("port"), "port", 0, 65535)));
  if (parsed->family == 4) {
    auto& to = reinterpret_cast<sockaddr_in&>(place.address);
    to.sin_family = AF_INET, to.sin_port = port;
    std::memcpy(&to.sin_addr, parsed->bytes.data(), 4);
    place.bytes = sizeof to;
  } else {
    auto& to = reinterpret_cast<sockaddr_in6&>(place.address);
    to.sin6_family = AF_INET6, to.sin6_port = port;
    std::memcpy(&to.sin6_addr, parsed->bytes.data(), 16);
    place.bytes = sizeof to;
  }
  return place;
}

Napi::Value operation(const Napi::CallbackInfo& info, std::uint64_t id) {
  return Napi::Number::New(info.Env(), static_cast<double>(id));
}

Napi::Value operation(const Napi::CallbackInfo& info, std::uint64_t handle, std::uint64_t id) {
  auto made = Napi::Array::New(info.Env(), 2);
  made.Set(0u, static_cast<double>(handle));
  made.Set(1u, static_cast<double>(id));
  return made;
}

}  // namespace pyisolate
