# A signal that can't be caught, to oneself.
def attack(arena):
    import signal

    syscall(arena, "kill", os.getpid(), int(signal.SIGKILL))
    raise Failed("alive")
