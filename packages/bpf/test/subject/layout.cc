// Prints what the C++ compiler makes of src/bpf/layout.h: `struct field offset bytes`, and `struct - 0 bytes` of a
// whole.
#include "layout.h"

#include <cstddef>
#include <cstdio>

#define WHOLE(type) std::printf(#type " - 0 %zu\n", sizeof(type))
#define FIELD(type, field) std::printf(#type " " #field " %zu %zu\n", offsetof(type, field), sizeof(type::field))

int main() {
  WHOLE(pyi_task);
  FIELD(pyi_task, sandbox);
  FIELD(pyi_task, policy_slot);
  FIELD(pyi_task, flags);
  FIELD(pyi_task, started_ns);
  FIELD(pyi_task, opens);
  FIELD(pyi_task, connects);
  FIELD(pyi_task, sends);
  FIELD(pyi_task, bytes_sent);
  FIELD(pyi_task, bytes_received);
  FIELD(pyi_task, elapsed_ms);
  FIELD(pyi_task, writes);
  FIELD(pyi_task, dst_port);
  FIELD(pyi_task, size);
  FIELD(pyi_task, path_bits);
  FIELD(pyi_task, dst_addr);
  FIELD(pyi_task, dst_family);
  FIELD(pyi_task, index);
  WHOLE(pyi_sandbox);
  FIELD(pyi_sandbox, active);
  FIELD(pyi_sandbox, id);
  FIELD(pyi_sandbox, started_ns);
  FIELD(pyi_sandbox, opens);
  FIELD(pyi_sandbox, connects);
  FIELD(pyi_sandbox, sends);
  FIELD(pyi_sandbox, bytes_sent);
  FIELD(pyi_sandbox, bytes_received);
  FIELD(pyi_sandbox, denied);
  FIELD(pyi_sandbox, second);
  FIELD(pyi_sandbox, events);
  FIELD(pyi_sandbox, lost);
  FIELD(pyi_sandbox, unreported);
  WHOLE(pyi_rate);
  FIELD(pyi_rate, bytes_per_second);
  FIELD(pyi_rate, burst_ns);
  WHOLE(pyi_usage);
  FIELD(pyi_usage, paid_until_ns);
  FIELD(pyi_usage, bytes);
  FIELD(pyi_usage, dropped);
  WHOLE(pyi_meter);
  FIELD(pyi_meter, rate);
  FIELD(pyi_meter, usage);
  WHOLE(pyi_group);
  FIELD(pyi_group, sandbox);
  FIELD(pyi_group, index);
  FIELD(pyi_group, zero);
  FIELD(pyi_group, in);
  FIELD(pyi_group, out);
  WHOLE(pyi_socket);
  FIELD(pyi_socket, sandbox);
  FIELD(pyi_socket, index);
  FIELD(pyi_socket, zero);
  WHOLE(pyi_bandwidth);
  FIELD(pyi_bandwidth, sandbox);
  FIELD(pyi_bandwidth, in);
  FIELD(pyi_bandwidth, out);
  WHOLE(pyi_traffic);
  FIELD(pyi_traffic, in);
  FIELD(pyi_traffic, out);
  WHOLE(pyi_policy);
  FIELD(pyi_policy, flags);
  FIELD(pyi_policy, contract_hooks);
  FIELD(pyi_policy, net_rules);
  FIELD(pyi_policy, zero);
  WHOLE(pyi_file_key);
  FIELD(pyi_file_key, slot);
  FIELD(pyi_file_key, dev);
  FIELD(pyi_file_key, ino);
  WHOLE(pyi_file_rules);
  FIELD(pyi_file_rules, allow_itself);
  FIELD(pyi_file_rules, allow_below);
  FIELD(pyi_file_rules, deny_itself);
  FIELD(pyi_file_rules, deny_below);
  FIELD(pyi_file_rules, bits_itself);
  FIELD(pyi_file_rules, bits_below);
  WHOLE(pyi_net_rule);
  FIELD(pyi_net_rule, address);
  FIELD(pyi_net_rule, mask);
  FIELD(pyi_net_rule, ops);
  FIELD(pyi_net_rule, deny);
  FIELD(pyi_net_rule, protocol);
  FIELD(pyi_net_rule, family);
  FIELD(pyi_net_rule, port_from);
  FIELD(pyi_net_rule, port_to);
  FIELD(pyi_net_rule, rule);
  FIELD(pyi_net_rule, zero);
  WHOLE(pyi_abstract_key);
  FIELD(pyi_abstract_key, slot);
  FIELD(pyi_abstract_key, bytes);
  FIELD(pyi_abstract_key, name);
  WHOLE(pyi_abstract_rules);
  FIELD(pyi_abstract_rules, allow);
  FIELD(pyi_abstract_rules, deny);
  WHOLE(pyi_address);
  FIELD(pyi_address, family);
  FIELD(pyi_address, protocol);
  FIELD(pyi_address, port);
  FIELD(pyi_address, af);
  FIELD(pyi_address, zero);
  FIELD(pyi_address, address);
  WHOLE(pyi_event);
  FIELD(pyi_event, kind);
  FIELD(pyi_event, rule);
  FIELD(pyi_event, sandbox);
  FIELD(pyi_event, operation);
  FIELD(pyi_event, error);
  FIELD(pyi_event, policy_generation);
  FIELD(pyi_event, lost);
  FIELD(pyi_event, ktime_ns);
  FIELD(pyi_event, object);
  WHOLE(pyi_contract_event);
  FIELD(pyi_contract_event, kind);
  FIELD(pyi_contract_event, contract);
  FIELD(pyi_contract_event, sandbox);
  FIELD(pyi_contract_event, hook);
  FIELD(pyi_contract_event, action);
  FIELD(pyi_contract_event, zero);
}
