# Memory that is writable and executable at once.
def attack(arena):
    import mmap

    mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    return "mapped"
