# Every descriptor there might be: files, sockets and pipes of the host.
def attack(arena):
    found = []
    for fd in range(4096):
        try:
            info = os.fstat(fd)
        except OSError:
            continue
        found.append(f"{fd}: {info.st_mode:o}")
        for read in (lambda: os.pread(fd, 65536, 0), lambda: os.readlink(f"/proc/self/fd/{fd}").encode()):
            try:
                return reveals(read(), arena)
            except (OSError, Failed):
                pass
    raise Failed("no secret in " + ", ".join(found))
