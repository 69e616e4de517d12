# What the host is called.
def attack(arena):
    import hashlib

    name = os.uname().nodename
    if hashlib.sha256(name.encode()).hexdigest() != arena["host_name"]:
        raise PermissionError(errno.EACCES, f"it is called {name} here")
    return name
