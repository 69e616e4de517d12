# The same instead of oneself, past whatever os.execv() asks first.
def attack(arena):
    import ctypes

    words = [b"sh", b"-c", f"echo was here > '{arena['marker']}'; kill -KILL $$".encode(), None]
    libc = ctypes.CDLL(None, use_errno=True)
    libc.execv(b"/bin/sh", (ctypes.c_char_p * 4)(*words))
    raise OSError(ctypes.get_errno(), "execv")
