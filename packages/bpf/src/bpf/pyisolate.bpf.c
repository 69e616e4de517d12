/* BPF LSM programs: what a labelled thread, and whatever it starts, may do (Linux 5.17, CONFIG_BPF_LSM). */
#include "file_hooks.h"

char LICENSE[] SEC("license") = "GPL";
