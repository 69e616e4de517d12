# System V memory, which outlives its maker and is anybody's who knows its number.
def attack(arena):
    private, create, remove = 0, 0o1600, 0  # IPC_PRIVATE, IPC_CREAT | 0600, IPC_RMID
    block = syscall(arena, "shmget", private, 4096, create)
    syscall(arena, "shmctl", block, remove, 0)
    return "made a block"
