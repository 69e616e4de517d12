# The standard library that the next sandbox will import. Opened to write, never written.
def attack(arena):
    import json

    with open(json.__file__, "r+b"):
        return json.__file__
