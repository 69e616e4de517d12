# What the host's administrator keeps.
def attack(arena):
    seen = [name for name in ("/etc/passwd", "/etc/hostname", "/proc/version", "/sys/kernel/notes") if _opens(name)]
    if not seen:
        raise PermissionError(errno.EACCES, "none of them opens")
    return ", ".join(seen)


def _opens(name):
    try:
        open(name, "rb").close()
        return True
    except OSError:
        return False
