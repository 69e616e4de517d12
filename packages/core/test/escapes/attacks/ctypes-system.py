# The C library's own shell.
def attack(arena):
    import ctypes

    if ctypes.CDLL(None).system(f"echo was here > '{arena['marker']}'".encode()) != 0:
        raise Failed("the shell did not run")
    return "ran a shell"
