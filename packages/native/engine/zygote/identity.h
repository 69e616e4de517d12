// Who cells are when the supervisor is root.
#pragma once

#include <string>

namespace pyisolate {

// The uid and gid that cells get: above what distributions and systemd hand out (systemd's UIDS-GIDS.md leaves
// 2,000,000,000 and up to nobody).
inline constexpr unsigned kCellUid = 2'000'013'313;

// In a container whose user namespace is too small for it, the highest id that is mapped and no reserved one: 65534 is
// nobody's, which others use, 65535 is (uid_t)-1 to old calls. 0 is never chosen.
inline constexpr unsigned kHighestElsewhere = 65533;

// Which of them it is, by uid_map and gid_map in `proc`/self (user_namespaces(7)); 0 where only root is mapped.
unsigned cell_id(int proc);

// The same of the texts themselves.
unsigned cell_id_in(const std::string& uid_map, const std::string& gid_map);

}  // namespace pyisolate
