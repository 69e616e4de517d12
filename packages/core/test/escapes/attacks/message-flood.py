# Messages that nobody receives.
def attack(arena):
    for n in range(100_000):
        post([n, "x" * 1000])
    return "posted 100 MB"
