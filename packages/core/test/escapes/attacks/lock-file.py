# A lock on a file that may only be read: whoever wants it on the host would wait for the guest.
def attack(arena):
    import fcntl

    with open(arena["code_file"], "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return "locked"
