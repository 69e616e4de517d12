# A timer whose signal ends the process.
def attack(arena):
    import ctypes
    import signal
    import struct
    import time

    default = 0  # SIG_DFL
    ctypes.CDLL(None).signal(int(signal.SIGALRM), ctypes.c_void_p(default))
    real, soon = 0, struct.pack("qqqq", 0, 10_000, 0, 10_000)  # ITIMER_REAL; every 10 ms
    syscall(arena, "setitimer", real, soon, 0)
    time.sleep(2)
    raise Failed("alive")
