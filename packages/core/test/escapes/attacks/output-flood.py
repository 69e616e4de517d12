# Output, more than anybody wants to read.
def attack(arena):
    for _ in range(8 << 10):
        print("x" * 1023)
    return "printed 8 MiB"
