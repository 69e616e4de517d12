"""What native code can make of a thread under a filter that notifies of getppid and has no listener (seccomp(2)).

Arguments: that filter, in hexadecimal; or none for one that does nothing else.
"""

import ctypes
import errno
import json
import struct
import sys
import threading

GETPPID, IOCTL, SECCOMP = 110, 16, 317
FILTER, NEW_LISTENER, WAIT_KILLABLE = 1, 8, 32
RECEIVE, SEND = 0xC0502100, 0xC0182101  # SECCOMP_IOCTL_NOTIF_RECV, SECCOMP_IOCTL_NOTIF_SEND
CONTINUE = 1
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long


def call(number, *args):
    result = libc.syscall(ctypes.c_long(number), *args)
    return result if result >= 0 else errno.errorcode[ctypes.get_errno()]


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_char_p)]


def install(code, flags=0):
    program = Program(len(code) // 8, code)
    return call(SECCOMP, ctypes.c_long(FILTER), ctypes.c_long(flags), ctypes.byref(program))


# Load the number; getppid is notified of, the rest allowed.
NOTIFIES = b"".join(
    struct.pack("=HBBI", *step)
    for step in ((0x20, 0, 0, 0), (0x15, 0, 1, GETPPID), (0x06, 0, 0, 0x7FC00000), (0x06, 0, 0, 0x7FFF0000))
)

found = {}
listener = threading.Event()
fd = None


def taken_over():
    """The thread: without a listener first, then with one of its own."""
    global fd
    installed = install(bytes.fromhex(sys.argv[1]) if len(sys.argv) > 1 else NOTIFIES)
    assert installed == 0, installed
    found["unheard"] = call(GETPPID)
    fd = install(NOTIFIES, NEW_LISTENER | WAIT_KILLABLE)
    if fd == "EINVAL":  # before Linux 5.19
        fd = install(NOTIFIES, NEW_LISTENER)
    found["listens"] = isinstance(fd, int)
    if len(sys.argv) > 1:  # a call would wait for ever: what it needs is to answer
        found["answers"] = answer()
        return
    listener.set()
    found["made"] = isinstance(call(GETPPID), int)


def answer():
    notification, response = ctypes.create_string_buffer(80), ctypes.create_string_buffer(24)
    send = call(IOCTL, ctypes.c_long(fd), ctypes.c_long(SEND), response)
    if send == "EPERM":
        return send
    received = call(IOCTL, ctypes.c_long(fd), ctypes.c_long(RECEIVE), notification)
    assert received == 0, received
    response.raw = struct.pack("=QqiI", struct.unpack_from("=Q", notification.raw)[0], 0, 0, CONTINUE)
    sent = call(IOCTL, ctypes.c_long(fd), ctypes.c_long(SEND), response)
    return "continued" if sent == 0 else sent


assert isinstance(call(GETPPID), int)
assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
thread = threading.Thread(target=taken_over)
thread.start()
if len(sys.argv) == 1:
    listener.wait()
    found["answers"] = answer()
thread.join()
print(json.dumps(found))
