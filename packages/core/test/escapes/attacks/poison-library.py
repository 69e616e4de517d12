# The standard library that the next sandbox will import. Opened to write, never written.
def attack(arena):
    with open(os.__file__, "r+b"):
        return os.__file__
