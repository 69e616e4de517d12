# What acts on the whole process, by its usual names: the others of a cell would feel it.
def attack(arena):
    import importlib
    import locale
    import resource
    import signal
    import sys
    import time

    done = []
    # What has been taken out of a module is in a fresh copy of it, unless it is gone for good.
    for module, source in ((os, "posix"), (signal, "_signal"), (resource, "resource"), (time, "time")):
        sys.modules.pop(source, None)
        fresh = importlib.import_module(source)
        for name in dir(fresh):
            if not hasattr(module, name):
                setattr(module, name, getattr(fresh, name))
    for name, call in {
        "chdir": lambda: os.chdir("/usr"),
        "umask": lambda: os.umask(0o777),
        "putenv": lambda: os.putenv("TZ", "Asia/Tokyo"),
        "tzset": lambda: time.tzset(),
        "environ": lambda: os.environ.__setitem__("TZ", "Asia/Tokyo"),
        "setlocale": lambda: locale.setlocale(locale.LC_ALL, "C"),
        "nice": lambda: os.nice(5),
        "setrlimit": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (8, 8)),
        "closerange": lambda: os.closerange(3, 256),
        "dup2": lambda: os.dup2(0, 3),
        "signal": lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        "alarm": lambda: signal.alarm(1),
        "setitimer": lambda: signal.setitimer(signal.ITIMER_REAL, 0.01),
        "raise_signal": lambda: signal.raise_signal(signal.SIGTERM),
        "pthread_sigmask": lambda: signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}),
        "kill": lambda: os.kill(os.getpid(), signal.SIGTERM),
        "tracemalloc": lambda: __import__("tracemalloc").start(),
        "setswitchinterval": lambda: sys.setswitchinterval(1000),
        "exit": lambda: os._exit(9),
        "abort": lambda: os.abort(),
    }.items():
        try:
            call()
            done.append(name)
        except BaseException:
            pass
    return ", ".join(done)
