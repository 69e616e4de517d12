# Memory as a file: no ctypes needed.
def attack(arena):
    with open("/proc/self/mem", "r+b", buffering=0) as memory:
        memory.seek(arena["address"])
        found = reveals(memory.read(arena["length"]), arena)
        memory.seek(arena["address"])
        memory.write(b"X" * arena["length"])
    return found
