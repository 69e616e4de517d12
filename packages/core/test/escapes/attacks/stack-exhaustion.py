# Recursion in C, as deep as CPython allows on a stack of the usual size, on one much smaller.
def attack(arena):
    import threading

    nested = []
    for _ in range(5000):
        nested = [nested]
    threading.stack_size(64 << 10)
    thread = threading.Thread(target=repr, args=(nested,))
    thread.start()
    thread.join()
    raise Failed("alive")
