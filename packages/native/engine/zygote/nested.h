// A world for a root that the host gives user namespaces but not CAP_SYS_ADMIN, as some containers do.
#pragma once

#include <string>

namespace pyisolate {

// The one id that is mapped in a zygote's user namespace, to whoever it was outside.
inline constexpr unsigned kInsideId = 65534;

// Enters a user namespace, and the namespaces of `others` with it, in which kInsideId is `outside`. The caller stays
// the host's root to its files, without any capability over them, so that it can still go where only root can; it gives
// that up by setresgid(2) and setresuid(2) to kInsideId. Needs CAP_SETUID and CAP_SETGID, and one thread. All of it is
// tried in a child first, as half-way there is no way back: returns false with nothing changed where the host refuses a
// part, or root without capabilities couldn't read `library`. `proc` is the host's /proc. user_namespaces(7).
bool enter_as_root(int proc, int others, unsigned outside, const std::string& library, std::string& problem);

}  // namespace pyisolate
