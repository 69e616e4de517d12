# The same past CPython, through the C library.
def attack(arena):
    import ctypes

    libc = ctypes.CDLL(None)
    made = 0
    thread = ctypes.c_ulong()
    sleeping = ctypes.cast(libc.sleep, ctypes.c_void_p)
    while made < 200:
        error = libc.pthread_create(ctypes.byref(thread), None, sleeping, ctypes.c_void_p(2))
        if error:
            raise OSError(error, f"after {made} threads")
        made += 1
    return f"{made} threads"
