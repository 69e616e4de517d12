# Rubbish over everything that is writable around one's own objects.
def attack(arena):
    import ctypes

    base = id(object()) & -(1 << 16)
    for at in range(0, 1 << 24, 4096):
        ctypes.memset(base + at, 0xFF, 4096)
    raise Failed("alive")
