/* The record of the sandbox that a socket is marked as. */
#ifndef PYISOLATE_BPF_SOCKET_OWNER_H
#define PYISOLATE_BPF_SOCKET_OWNER_H

#include "maps.h"
#include "sockets.h"

/* NULL: nobody's, or that of one that has ended. */
static __always_inline struct pyi_sandbox* sandbox_of(struct sock* sk) {
  const struct pyi_socket* own = bpf_sk_storage_get(&sockets, sk, NULL, 0);
  if (!own) return NULL;
  __u32 index = own->index;
  struct pyi_sandbox* sandbox = bpf_map_lookup_elem(&sandboxes, &index);
  return sandbox && sandbox->id == own->sandbox ? sandbox : NULL;
}

#endif
