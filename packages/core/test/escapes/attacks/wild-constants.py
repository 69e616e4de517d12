# code.replace(co_consts=()): loads from beyond the tuple, whatever they find.
def attack(arena):
    import opcode

    op = opcode.opmap

    def wild():
        return None

    for index in range(1, 1 << 16, 97):
        code = [op["RESUME"], 0, op["EXTENDED_ARG"], index >> 8 & 0xFF, op["LOAD_CONST"], index & 0xFF]
        code += [op["RETURN_VALUE"], 0]
        wild.__code__ = wild.__code__.replace(co_code=bytes(code), co_consts=(), co_stacksize=4)
        repr(wild())
    raise Failed("alive")
