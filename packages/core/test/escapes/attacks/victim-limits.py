# The limits, the processors and the priority of a process of the host.
def attack(arena):
    import resource
    import struct

    limits = struct.pack("QQ", 48, 4096)
    done, last = [], None
    for name, call in {
        "prlimit64": lambda: syscall(arena, "prlimit64", arena["victim"], int(resource.RLIMIT_NOFILE), limits, 0),
        "sched_setaffinity": lambda: syscall(arena, "sched_setaffinity", arena["victim"], 8, b"\xff" * 8),
        "setpriority": lambda: syscall(arena, "setpriority", 0, arena["victim"], 5),
    }.items():
        try:
            call()
            done.append(name)
        except OSError as error:
            last = error
    if not done:
        raise last
    return ", ".join(done)
