# The C library's way to give up.
def attack(arena):
    import ctypes

    ctypes.CDLL(None).abort()
