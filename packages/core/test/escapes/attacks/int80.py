# A 32-bit call from 64-bit code: another table of system calls, which careless filters forget.
def attack(arena):
    number = arena["syscalls32"]["getpid"]
    call = machine_code(b"\xb8" + number.to_bytes(4, "little") + b"\xcd\x80\xc3")  # mov eax; int 0x80; ret
    pid = call()
    if pid != os.getpid():
        raise OSError(errno.ENOSYS, f"the kernel answered {pid}")
    return f"is process {pid}"
