# A file of the host.
def attack(arena):
    with open(arena["secret_file"], "rb") as file:
        return reveals(file.read(), arena)
