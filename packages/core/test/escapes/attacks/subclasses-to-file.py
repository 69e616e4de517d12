# From a tuple to an unguarded open() by the object graph.
def attack(arena):
    bases, seen = [().__class__.__base__], set()
    while bases:
        cls = bases.pop()
        if cls.__name__ == "FileIO":
            return reveals(cls(arena["secret_file"]).read(), arena)
        if cls not in seen:
            seen.add(cls)
            bases.extend(type.__subclasses__(cls))
    raise Failed("no class opens files")
