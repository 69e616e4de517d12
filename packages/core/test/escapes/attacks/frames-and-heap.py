# Everything the frames above and the garbage collector lead to.
def attack(arena):
    import gc
    import sys

    frame, todo, seen = sys._getframe(), [], set()
    while frame:
        todo += [frame.f_locals, frame.f_globals]
        frame = frame.f_back
    todo += gc.get_objects()
    while todo:
        thing = todo.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, str):
            thing = thing.encode("utf-8", "replace")
        if isinstance(thing, (bytes, bytearray)):
            try:
                return reveals(thing, arena)
            except Failed:
                continue
        todo += gc.get_referents(thing)
    raise Failed(f"no secret among {len(seen)} objects")
