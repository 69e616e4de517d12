# Memory, touched page by page; this one stops at 400 MiB.
def attack(arena):
    held = []
    while len(held) < 100:
        held.append(bytearray(b"x" * (4 << 20)))
    return f"{len(held) * 4} MiB"
