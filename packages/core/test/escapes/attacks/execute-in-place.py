# The same instead of oneself.
def attack(arena):
    os.execv("/bin/sh", ["sh", "-c", f"echo was here > '{arena['marker']}'; kill -KILL $$"])
