# A queue of calls that no seccomp filter sees.
def attack(arena):
    parameters = bytes(120)  # struct io_uring_params
    ring = syscall(arena, "io_uring_setup", 4, parameters)
    os.close(ring)
    return "has a ring"
