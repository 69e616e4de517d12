# The victim's memory, by address.
def attack(arena):
    import ctypes

    return reveals(ctypes.string_at(arena["address"], arena["length"]), arena)
