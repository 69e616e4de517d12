# The third table of an x86-64 kernel: the x32 bit in a system call's number.
def attack(arena):
    x32 = {"getpid": arena["syscalls"]["getpid"] | arena["x32_bit"]}
    return syscall({"syscalls": x32}, "getpid")
