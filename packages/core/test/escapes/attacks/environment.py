# What the host was started with.
def attack(arena):
    import sys

    held = [f"{name}={value}" for name, value in os.environ.items()] + sys.orig_argv
    return reveals("\n".join(held).encode(), arena)
