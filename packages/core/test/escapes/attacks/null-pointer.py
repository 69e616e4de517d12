# A read at address zero.
def attack(arena):
    import ctypes

    return ctypes.string_at(0)
