# The same with code that was never written to memory: a file that may be read is mapped to be run.
def attack(arena):
    import ctypes
    import mmap

    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    file = os.open(arena["code_file"], os.O_RDONLY)
    page = libc.mmap(None, mmap.PAGESIZE, mmap.PROT_READ | mmap.PROT_EXEC, mmap.MAP_PRIVATE, file, 0)
    if page == ctypes.c_void_p(-1).value:
        raise OSError(ctypes.get_errno(), "mmap")
    pid = ctypes.CFUNCTYPE(ctypes.c_long)(page)()
    if pid != os.getpid():
        raise OSError(errno.ENOSYS, f"the kernel answered {pid}")
    return f"is process {pid}"
