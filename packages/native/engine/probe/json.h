#pragma once

#include <cstring>
#include <string>
#include <string_view>

#include "trial.h"

namespace pyisolate::probe {

// One JSON object, written member by member.
class Json {
 public:
  Json& text(const char* key, std::string_view value) {
    name(key);
    out_ += '"';
    for (const char c : value) {
      if (c == '"' || c == '\\') out_ += '\\';
      if (static_cast<unsigned char>(c) >= 0x20) out_ += c;
    }
    out_ += '"';
    return *this;
  }
  Json& number(const char* key, long value) { return raw(key, std::to_string(value)); }
  Json& flag(const char* key, bool value) { return raw(key, value ? "true" : "false"); }
  Json& raw(const char* key, const std::string& json) {
    name(key);
    out_ += json;
    return *this;
  }
  Json& trial(const char* key, const Trial& trial);
  std::string done() { return out_ + "}"; }

 private:
  void name(const char* key) {
    if (out_.size() > 1) out_ += ',';
    out_ += '"';
    out_ += key;
    out_ += "\":";
  }
  std::string out_ = "{";
};

// {ok: true}, or {ok: false, step, error: "EPERM"}.
inline Json& Json::trial(const char* key, const Trial& trial) {
  Json json;
  json.flag("ok", trial.good());
  if (!trial.good()) {
    const char* const known = strerrorname_np(trial.error);
    json.text("step", trial.step).text("error", known != nullptr ? known : std::to_string(trial.error));
  }
  return raw(key, json.done());
}

}  // namespace pyisolate::probe
