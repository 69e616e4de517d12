/* BPF LSM programs: what a labelled thread, and whatever it starts, may do (Linux 5.19, CONFIG_BPF_LSM). */
#include "change_hooks.h"
#include "descriptor_hooks.h"
#include "file_hooks.h"
#include "receive_hooks.h"
#include "socket_hooks.h"
#include "task_hooks.h"

char LICENSE[] SEC("license") = "GPL";
