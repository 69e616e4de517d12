# A shared library of one's own, for the loader to map.
def attack(arena):
    import ctypes
    import shutil

    where = os.path.join(arena["scratch"], "library.so")
    shutil.copy(arena["library"], where)
    ctypes.CDLL(where)
    return "loaded"
