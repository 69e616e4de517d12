# A process of the host, with everything an attacker might want: a secret in its memory, its environment, an open
# file and behind its sockets. It answers each line of its input with what has been done to it since the last one.
import ctypes
import json
import mmap
import os
import resource
import signal
import socket
import sys
import threading

folder, abstract = sys.argv[1:]
secret = os.environ["PYISOLATE_TEST_SECRET"].encode()
received, signals = [], []

signal.signal(signal.SIGUSR1, lambda number, frame: signals.append(number))
allow_any_tracer = 0x59616D61, -1  # PR_SET_PTRACER: where Yama restricts who may trace whom
ctypes.CDLL(None).prctl(allow_any_tracer[0], ctypes.c_ulong(allow_any_tracer[1]), 0, 0, 0)

page = mmap.mmap(-1, mmap.PAGESIZE)
page[: len(secret)] = secret
address = ctypes.addressof(ctypes.c_char.from_buffer(page))
held = open(os.path.join(folder, "secret"), "rb")


def answer(server):
    while True:
        client, _ = server.accept()
        received.append("connection")
        with client:
            client.sendall(secret)


def collect(server):
    while True:
        server.recv(4096)
        received.append("datagram")


def serve(family, kind, name):
    server = socket.socket(family, kind)
    server.bind(name)
    if isinstance(name, str) and name.startswith("/"):
        os.chmod(name, 0o777)
    if kind == socket.SOCK_STREAM:
        server.listen()
    threading.Thread(target=answer if kind == socket.SOCK_STREAM else collect, args=(server,), daemon=True).start()
    return server.getsockname()


serve(socket.AF_UNIX, socket.SOCK_STREAM, f"\0{abstract}")
serve(socket.AF_UNIX, socket.SOCK_DGRAM, f"\0{abstract}-datagram")
serve(socket.AF_UNIX, socket.SOCK_STREAM, f"{folder}/granted/stream")
serve(socket.AF_UNIX, socket.SOCK_DGRAM, f"{folder}/granted/datagram")
port = serve(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0))[1]
serve(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", port))

with open("/proc/self/maps") as maps:
    library = next(line.split()[-1] for line in maps if "/libc.so" in line or "/libc-" in line)
begun = resource.getrlimit(resource.RLIMIT_NOFILE), os.getpriority(os.PRIO_PROCESS, 0)
print(json.dumps({"pid": os.getpid(), "address": address, "port": port, "library": library}), flush=True)

for _ in sys.stdin:
    now = resource.getrlimit(resource.RLIMIT_NOFILE), os.getpriority(os.PRIO_PROCESS, 0)
    touched = page[: len(secret)] != secret
    print(json.dumps({"received": received, "signals": len(signals), "touched": touched, "limited": now != begun}), flush=True)
    page[: len(secret)] = secret
    received.clear()
    signals.clear()
    begun = now
