# A user namespace of one's own, with every capability in it.
def attack(arena):
    os.unshare(os.CLONE_NEWUSER | os.CLONE_NEWNS)
    return "is root of its own world"
