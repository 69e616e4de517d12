# A bytearray forged over nothing, written all over.
def attack(arena):
    import ctypes

    victim = bytearray(64)
    size_at = 32
    ctypes.c_ssize_t.from_address(id(victim) + size_at).value = 1 << 40
    for at in range(0, 1 << 40, 4096):
        victim[at] = 0xFF
