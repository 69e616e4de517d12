// Rules on files, sockets and other tasks in the hooks of the kernel's security modules (BPF LSM, Linux 6.1).
#include "files.h"
#include "moves.h"
#include "names.h"
#include "tasks.h"
#include "unix-sockets.h"

// Some helpers are for programs under a licence that is compatible with the kernel's.
char pyi_license[] SEC("license") = "Dual MIT/GPL";
