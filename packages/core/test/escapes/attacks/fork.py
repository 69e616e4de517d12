# A process of one's own, past whatever os.fork() asks first.
def attack(arena):
    import signal

    pid = syscall(arena, "clone", int(signal.SIGCHLD), 0, 0, 0, 0)
    if pid == 0:
        syscall(arena, "exit_group", 0)
    os.waitpid(pid, 0)
    return "forked"
