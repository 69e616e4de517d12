# CPython's own last words.
def attack(arena):
    import ctypes

    ctypes.pythonapi.Py_FatalError(b"an attack")
