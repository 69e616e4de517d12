/*
 * Whose a socket is, in the socket itself: packets come to no thread, and a broker's sockets are made by no guest. It
 * is copied to what a listener accepts (BPF_F_CLONE), and goes with the socket.
 */
#ifndef PYISOLATE_BPF_SOCKETS_H
#define PYISOLATE_BPF_SOCKETS_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "layout.h"

struct {
  __uint(type, BPF_MAP_TYPE_SK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
  __type(key, int);
  __type(value, struct pyi_socket);
} sockets SEC(".maps");

#endif
