# More descriptors than were granted.
def attack(arena):
    import resource
    import struct

    wanted = struct.pack("QQ", arena["open_files"] * 2, arena["open_files"] * 2)
    held, last = [], None
    for call in (
        lambda: syscall(arena, "prlimit64", 0, int(resource.RLIMIT_NOFILE), wanted, 0),
        lambda: syscall(arena, "setrlimit", int(resource.RLIMIT_NOFILE), wanted),
    ):
        try:
            call()
        except OSError as error:
            last = error
    try:
        while len(held) < arena["open_files"] + 8:
            held.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        raise last
    finally:
        for fd in held:
            os.close(fd)
    return f"held {len(held)}"
