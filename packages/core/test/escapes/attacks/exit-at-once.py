# The end of the process, past everything that would clean up.
def attack(arena):
    syscall(arena, "exit_group", 7)
