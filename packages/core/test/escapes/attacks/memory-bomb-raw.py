# The same past CPython: memory of several kinds, straight from the kernel. This one stops at 100 MiB of each.
def attack(arena):
    import ctypes
    import mmap

    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
    before = _resident()
    both, private = mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    grows_down, hugely = 0x100, 0x40000  # MAP_GROWSDOWN, MAP_HUGETLB
    refused = {}
    for name, flags in {
        "private": private,
        "stack": private | mmap.MAP_STACK,
        "growing": private | grows_down,
        "shared": mmap.MAP_SHARED | mmap.MAP_ANONYMOUS,
        "reserved": private | mmap.MAP_NORESERVE,
        "huge": private | hugely,
    }.items():
        for _ in range(25):
            size = 4 << 20
            at = libc.mmap(None, size, both, flags, -1, 0)
            if at == ctypes.c_void_p(-1).value:
                refused[name] = errno.errorcode[ctypes.get_errno()]
                break
            ctypes.memset(at, 1, size)
    held = (_resident() - before) >> 10
    if held < 150:  # the limit, twice and more
        raise MemoryError(f"{held} MiB, then {refused}")
    return f"{held} MiB"


def _resident():
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
