# Signals to whatever shares a process group, to the parent and to the supervisor.
def attack(arena):
    import signal

    number = int(signal.SIGUSR1)
    import ctypes

    ignore = 1  # SIG_IGN
    ctypes.CDLL(None).signal(number, ctypes.c_void_p(ignore))
    targets = {"own group": lambda: 0, "supervisor": lambda: arena["supervisor"], "by name": lambda: -os.getpgrp()}
    if arena["bold"]:
        targets |= {"parent": os.getppid, "parent's group": lambda: -os.getpgid(os.getppid())}
    sent, last = [], Failed("nobody to signal")
    for name, target in targets.items():
        try:
            who = target()
            # Minus one would be everybody: nothing that may be tried where nothing stops it.
            if who not in (-1, os.getpid()) and (who != 0 or name == "own group"):
                syscall(arena, "kill", who, number)
                sent.append(name)
        except OSError as error:
            last = error
    if not sent:
        raise last
    return ", ".join(sent)
