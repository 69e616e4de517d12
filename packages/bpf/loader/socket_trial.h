#pragma once
#include <cstdint>
#include <span>

namespace pyisolate::bpf {

/// Stores `value` in a UDP socket of this process (`map`: of type SK_STORAGE), and has it send a byte to itself over
/// the loopback: when this returns, programs on packets have seen it both ways, if they see any. Throws Failure.
void send_to_itself(int map, std::span<const uint8_t> value);

}  // namespace pyisolate::bpf
