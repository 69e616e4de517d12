# The same the other way round.
def attack(arena):
    import ctypes
    import struct

    buffer = ctypes.create_string_buffer(b"X" * arena["length"])
    here = struct.pack("QQ", ctypes.addressof(buffer), arena["length"])
    there = struct.pack("QQ", arena["victim_address"], arena["length"])
    return syscall(arena, "process_vm_writev", arena["victim"], here, 1, there, 1, 0)
