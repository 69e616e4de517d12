# Memory that becomes executable after it was written.
def attack(arena):
    nothing = {"x86_64": b"\xb8\x2a\0\0\0\xc3", "aarch64": b"\x40\x05\x80\x52\xc0\x03\x5f\xd6"}  # return 42
    if machine_code(nothing[os.uname().machine])() != 42:
        raise Failed("it did not run")
    return "ran code of its own"
