# A file on the host.
def attack(arena):
    with open(arena["marker"], "w") as file:
        return file.write("was here")
