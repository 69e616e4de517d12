# Processes, as many as there can be; this one stops at a few dozen.
def attack(arena):
    import signal

    children = []
    try:
        while len(children) < 24:
            pid = os.fork()
            if pid == 0:
                signal.pause()
            children.append(pid)
    finally:
        for pid in children:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    return f"{len(children)} children"
