# One system call after the other, each with arguments that a kernel which considers it at all must refuse, or that
# change nothing: what comes back tells whether anything stood before it. Posts each answer as it comes.
def attack(arena):
    for name, arguments in arena["calls"].items():
        post([name, _try(arena, name, arguments)])
    return "tried them"


def _try(arena, name, arguments):
    try:
        syscall(arena, name, *[_value(arena, argument) for argument in arguments])
        return "OK"
    except OSError as error:
        return errno.errorcode[error.errno]


def _value(arena, argument):
    import fcntl
    import mmap
    import termios

    if isinstance(argument, int):
        return argument
    if argument == "bad":
        return 1  # nothing is ever mapped there
    if argument == "victim":
        return arena["victim"]
    return next(getattr(module, argument) for module in (os, fcntl, mmap, termios) if hasattr(module, argument))
