# The same by the first thread's stack, which grows by itself as far as RLIMIT_STACK lets it. Stops at 110 MiB.
def attack(arena):
    import ctypes
    import resource
    import struct

    hard = resource.getrlimit(resource.RLIMIT_STACK)[1] & 2**64 - 1
    syscall(arena, "prlimit64", 0, int(resource.RLIMIT_STACK), struct.pack("QQ", hard, hard), 0)
    environ = ctypes.c_size_t.in_dll(ctypes.CDLL(None), "environ").value  # stands above the stack
    before = _resident()
    try:
        for down in range(16 << 20, 126 << 20, 4096):
            ctypes.memset((environ & -4096) - down, 1, 8)
    finally:
        held = (_resident() - before) >> 10
    if held < 100:
        raise MemoryError(f"{held} MiB")
    return f"{held} MiB"


def _resident():
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
