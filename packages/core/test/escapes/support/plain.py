# Runs an attack in a plain interpreter, next to somebody else's secret, as a program that trusts exec() would.
import json
import sys


def main():
    task = json.load(sys.stdin)
    arena = task["arena"]
    victim = bytearray(task["secret"].encode() + b"\0" * 16)  # what a host process has in its memory
    arena["address"] = address_of(victim)
    arena["length"] = len(task["secret"])
    held = open(arena["secret_file"], "rb")  # and among its descriptors
    guest = {"__name__": "__main__", "__builtins__": __builtins__}
    exec(compile(task["prelude"], "prelude.py", "exec"), guest)
    exec(compile(task["source"], task["name"], "exec"), guest)
    posted = []
    guest["post"] = posted.append
    before = bytes(victim)
    result = guest["report"](arena)
    result["touched"] = bytes(victim) != before
    result["posted"] = posted
    sys.__stdout__.write("\n" + json.dumps(result) + "\n")
    sys.__stdout__.flush()


def address_of(buffer):
    import ctypes

    return ctypes.addressof((ctypes.c_char * len(buffer)).from_buffer(buffer))


main()
