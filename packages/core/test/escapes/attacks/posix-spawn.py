# The same by vfork.
def attack(arena):
    pid = os.posix_spawn("/bin/sh", ["sh", "-c", f"echo was here > '{arena['marker']}'"], {})
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status != 0:
        raise Failed(f"it ended with {status}")
    return "ran a shell"
