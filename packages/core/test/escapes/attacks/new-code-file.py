# The same with a file in memory, mapped twice: here writable, there executable.
def attack(arena):
    import mmap

    file = os.memfd_create("code")
    os.ftruncate(file, mmap.PAGESIZE)
    mmap.mmap(file, mmap.PAGESIZE, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ | mmap.PROT_WRITE)
    mmap.mmap(file, mmap.PAGESIZE, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ | mmap.PROT_EXEC)
    return "mapped"
