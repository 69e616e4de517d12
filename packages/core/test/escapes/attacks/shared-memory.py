# Memory that another process can map by name.
def attack(arena):
    from multiprocessing import shared_memory

    block = shared_memory.SharedMemory(create=True, size=4096)
    block.close()
    block.unlink()
    return block.name
