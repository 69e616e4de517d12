# What attacks share. Run before each of them, in a plain interpreter as in a sandbox.
#
# An attack defines `attack(arena)`. It returns a word on what it got away with; whatever stops it, it raises.
# `arena` says what there is to be had: see `arena.ts`.
import errno
import hashlib
import os
import re


class Failed(Exception):
    """The attack ran, but had no effect."""


def reveals(data, arena):
    """The secret, if it is in these bytes. Attacks know its hash only: they can't find their own copy."""
    for found in re.findall(rb"secret-[0-9a-f]{32}", bytes(data)):
        if hashlib.sha256(found).hexdigest() == arena["proof"]:
            return found.decode()
    raise Failed("nothing secret in it")


def syscall(arena, name, *args):
    """A raw system call, by name; bytes are passed by address. OSError with its errno when it fails."""
    import ctypes

    if name not in arena["syscalls"]:
        raise LookupError(f"{name} is not a system call of this architecture")
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    kept = [ctypes.create_string_buffer(a, len(a)) if isinstance(a, bytes) else a for a in args]
    words = [ctypes.c_long(a) if isinstance(a, int) else ctypes.byref(a) for a in kept]
    result = call(ctypes.c_long(arena["syscalls"][name]), *words)
    if result == -1:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), name)
    return result


def machine_code(code):
    """A function that runs these bytes, from memory that was writable a moment ago."""
    import ctypes
    import mmap

    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
    libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    page = libc.mmap(None, mmap.PAGESIZE, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)
    if page == ctypes.c_void_p(-1).value:
        raise OSError(ctypes.get_errno(), "mmap")
    ctypes.memmove(page, code, len(code))
    if libc.mprotect(page, mmap.PAGESIZE, mmap.PROT_READ | mmap.PROT_EXEC) != 0:
        raise OSError(ctypes.get_errno(), "mprotect")
    return ctypes.CFUNCTYPE(ctypes.c_long)(page)


def report(arena):
    def describe(error):
        number = getattr(error, "errno", None)
        name = errno.errorcode.get(number, "") if isinstance(number, int) else ""
        return f"{type(error).__name__} {name} {error}"

    try:
        return {"succeeded": True, "detail": str(attack(arena))}
    except BaseException as error:
        return {"succeeded": False, "detail": describe(error)}
