# A device of the host, made by its numbers.
def attack(arena):
    import stat

    where = os.path.join(arena["scratch"], "memory")
    os.mknod(where, stat.S_IFCHR | 0o600, os.makedev(1, 5))
    return len(os.read(os.open(where, os.O_RDONLY), 16))
