# Another process's memory, as the kernel copies it.
def attack(arena):
    import ctypes
    import struct

    buffer = ctypes.create_string_buffer(arena["length"])
    here = struct.pack("QQ", ctypes.addressof(buffer), arena["length"])
    there = struct.pack("QQ", arena["victim_address"], arena["length"])
    syscall(arena, "process_vm_readv", arena["victim"], here, 1, there, 1, 0)
    return reveals(buffer.raw, arena)
