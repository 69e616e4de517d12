# Another process's memory, as a debugger has it.
def attack(arena):
    import ctypes

    peek, attach, detach = 2, 16, 17  # enum __ptrace_request
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.restype = ctypes.c_long
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]

    def ptrace(request, address=None):
        ctypes.set_errno(0)
        result = libc.ptrace(request, arena["victim"], address, None)
        if result == -1 and ctypes.get_errno():
            raise OSError(ctypes.get_errno(), "ptrace")
        return result

    ptrace(attach)
    os.waitpid(arena["victim"], 0)
    try:
        words = [ptrace(peek, arena["victim_address"] + at) for at in range(0, arena["length"] + 8, 8)]
    finally:
        ptrace(detach)
    return reveals(b"".join((word & 2**64 - 1).to_bytes(8, "little") for word in words), arena)
