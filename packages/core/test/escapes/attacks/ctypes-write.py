# The victim's memory, by address; whether it was hit, the victim says.
def attack(arena):
    import ctypes

    ctypes.memset(arena["address"], ord("X"), arena["length"])
    return "wrote"
