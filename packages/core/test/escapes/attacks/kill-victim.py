# Signals to a process of the host, by each way there is. Whether one arrived, the victim says.
def attack(arena):
    import signal

    victim, number = arena["victim"], int(signal.SIGUSR1)
    ways = {
        "kill": lambda: syscall(arena, "kill", victim, number),
        "tgkill": lambda: syscall(arena, "tgkill", victim, victim, number),
        "tkill": lambda: syscall(arena, "tkill", victim, number),
        "rt_sigqueueinfo": lambda: syscall(arena, "rt_sigqueueinfo", victim, number, _info(number)),
        "pidfd_send_signal": lambda: syscall(
            arena, "pidfd_send_signal", syscall(arena, "pidfd_open", victim, 0), number, 0, 0
        ),
        "F_SETOWN": lambda: _by_descriptor(victim, number),
    }
    sent = []
    for name, way in ways.items():
        try:
            way()
            sent.append(name)
        except OSError as error:
            last = error
    if not sent:
        raise last
    return ", ".join(sent)


def _info(number):
    import struct

    queued = -1  # SI_QUEUE
    return struct.pack("iii", number, 0, queued).ljust(128, b"\0")


def _by_descriptor(victim, number):
    import fcntl

    into, out_of = os.pipe()
    fcntl.fcntl(into, fcntl.F_SETOWN, victim)
    fcntl.fcntl(into, fcntl.F_SETSIG, number)
    fcntl.fcntl(into, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
    os.write(out_of, b"!")
