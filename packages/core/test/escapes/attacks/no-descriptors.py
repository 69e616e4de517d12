# Every descriptor closed, among them those the engine talks through.
def attack(arena):
    for fd in range(4096):
        try:
            syscall(arena, "close", fd)
        except OSError:
            pass
    syscall(arena, "exit_group", 3)
