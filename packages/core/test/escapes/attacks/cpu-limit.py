# A limit lowered until the kernel ends the process.
def attack(arena):
    import resource
    import struct
    import time

    # The kernel rounds nothing up to a second.
    syscall(arena, "prlimit64", 0, int(resource.RLIMIT_CPU), struct.pack("QQ", 0, 0), 0)
    end = time.monotonic() + 3
    while time.monotonic() < end:
        pass
    raise Failed("alive")
