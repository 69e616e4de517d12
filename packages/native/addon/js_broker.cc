#include "js_broker.h"

#include <netinet/in.h>

#include <cstring>

#include "broker/address.h"
#include "broker/request.h"
#include "js_barrier.h"
#include "js_cell.h"

namespace pyisolate {
namespace {

using broker::Decision;
using broker::Table;

Decision decide_socket(const Table& table, const Napi::Object& operation, broker::NetOp op) {
  const auto protocol = need_string(operation.Get("protocol"), "protocol");
  if (protocol == "unix") {
    const bool abstract = operation.Has("abstract");
    return table.unix_socket(op, need_string(operation.Get(abstract ? "abstract" : "path"), "path"), abstract);
  }
  auto address = broker::parse_address(need_string(operation.Get("address"), "address"));
  if (!address) throw Napi::TypeError::New(operation.Env(), "address must be an IPv4 or IPv6 address");
  address->port = static_cast<std::uint16_t>(need_uint32(operation.Get("port"), "port", 0, 65535));
  std::vector<std::string> names;
  if (operation.Has("name")) names.push_back(need_string(operation.Get("name"), "name"));
  return table.address(op, protocol == "tcp" ? IPPROTO_TCP : IPPROTO_UDP, *address, names);
}

Decision decide_one(const Table& table, const Napi::Object& operation) {
  const auto kind = need_string(operation.Get("kind"), "kind");
  const auto path = [&] {
    const auto text = need_string(operation.Get("path"), "path");
    return text == "/" ? std::string() : text;
  };
  if (kind == "read") return table.file(path(), broker::kRead);
  if (kind == "write") return table.file(path(), broker::kWrite);
  if (kind == "exec") return table.file(path(), broker::kExec);
  if (kind == "connect") return decide_socket(table, operation, broker::kConnect);
  if (kind == "bind") return decide_socket(table, operation, broker::kBind);
  if (kind == "sendto") return decide_socket(table, operation, broker::kSendTo);
  if (kind == "resolve") return table.name(need_string(operation.Get("name"), "name"));
  throw Napi::TypeError::New(operation.Env(), "an operation that the broker doesn't decide: " + kind);
}

Napi::Value decide(const Napi::CallbackInfo& info) {
  const auto table = JsCell::need_table(info[0]);
  const Decision decision = decide_one(*table, need_object(info[1], "operation"));
  auto result = Napi::Object::New(info.Env());
  result.Set("allowed", decision.allowed);
  result.Set("rule", decision.rule);
  return result;
}

// A guest's memory that is some bytes from the address 4096 on, and nothing else.
class BytesMemory final : public broker::Memory {
 public:
  static constexpr std::uint64_t kBase = 4096;
  explicit BytesMemory(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  bool read(std::uint64_t from, void* to, std::size_t bytes) override {
    if (bytes == 0) return true;
    if (from < kBase || from - kBase > bytes_.size() || bytes > bytes_.size() - (from - kBase)) return false;
    std::memcpy(to, bytes_.data() + (from - kBase), bytes);
    return true;
  }
  bool write(std::uint64_t, const void*, std::size_t) override { return true; }

 private:
  std::span<const std::uint8_t> bytes_;
};

// [allowed, [rule, action] for each contract that does not hold]; `task` is a ContractTask.
Napi::Value run_contracts(const Napi::CallbackInfo& info) {
  const auto bytes = info[0].As<Napi::Uint8Array>();
  const auto facts = info[1].As<Napi::Uint8Array>();
  broker::ContractTask task{};
  if (bytes.ByteLength() % sizeof(broker::BpfInstruction) != 0 || facts.ByteLength() != sizeof task)
    throw Napi::TypeError::New(info.Env(), "expected whole instructions, and a task of 128 bytes");
  std::vector<broker::BpfInstruction> program(bytes.ByteLength() / sizeof(broker::BpfInstruction));
  if (!program.empty()) std::memcpy(program.data(), bytes.Data(), bytes.ByteLength());
  std::memcpy(&task, facts.Data(), sizeof task);
  const auto verdict = broker::run_contracts(program, task);
  auto violations = Napi::Array::New(info.Env());
  for (const auto& violation : verdict.violations) {
    auto one = Napi::Array::New(info.Env());
    one.Set(0u, violation.contract);
    one.Set(1u, static_cast<std::uint32_t>(violation.action));
    violations.Set(violations.Length(), one);
  }
  auto result = Napi::Array::New(info.Env());
  result.Set(0u, verdict.allowed);
  result.Set(1u, violations);
  return result;
}

Napi::Value decode_call(const Napi::CallbackInfo& info) {
  seccomp_data call{};
  call.nr = static_cast<int>(need_number(info[0], "number"));
  const auto args = info[1].As<Napi::Array>();
  bool lossless = false;
  for (std::uint32_t i = 0; i < 6 && i < args.Length(); ++i) {
    call.args[i] = args.Get(i).As<Napi::BigInt>().Uint64Value(&lossless);
  }
  const auto bytes = info[2].As<Napi::Uint8Array>();
  BytesMemory memory({bytes.Data(), bytes.ByteLength()});
  broker::Request request{};
  return Napi::Number::New(info.Env(), guarded(info.Env(), [&] { return broker::decode(call, memory, request); }));
}

}  // namespace

void define_broker(Napi::Env env, Napi::Object exports) {
  exports.Set("decide", Napi::Function::New<&decide>(env, "decide"));
  exports.Set("runContracts", Napi::Function::New<&run_contracts>(env, "runContracts"));
  exports.Set("decodeCall", Napi::Function::New<&decode_call>(env, "decodeCall"));
}

}  // namespace pyisolate
