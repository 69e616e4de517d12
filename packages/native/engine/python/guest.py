"""The Python half of a sandbox: runs requests, describes errors. Not a boundary: the kernel is.

What it imports every interpreter of a shared cell has once more: built-in and frozen modules only.
"""

import atexit
import builtins
import io
import sys
import time

import _pyisolate as _native
import pyisolate as _api

_OWN = frozenset((__file__, _api.__file__))
_MOST_SOURCES = 64
_blank = None  # a `__main__` made ahead
_sources = {}  # what was run, by file name: as linecache keeps it
_MOST_FRAMES = 200
_MOST_TEXT = 1 << 18


class _Output(io.RawIOBase):
    def __init__(self, stream):
        self._stream = stream

    def writable(self):
        return True

    def write(self, data):
        _native.write(self._stream, data)
        return len(data)


def _stream(number, name):
    text = io.TextIOWrapper(
        io.BufferedWriter(_Output(number), 8192), "utf-8", "backslashreplace", newline="\n", line_buffering=True
    )
    text.mode = "w"
    text._name = name
    return text


def prepare(isolation, brokered):
    """Once per interpreter, before a guest is known."""
    sys.stdin = sys.__stdin__ = io.TextIOWrapper(io.BytesIO(), "utf-8")
    sys.stdout = sys.__stdout__ = _stream(1, "<stdout>")
    sys.stderr = sys.__stderr__ = _stream(2, "<stderr>")
    sys.argv = [""]
    sys.dont_write_bytecode = True
    if isolation == "interpreter":
        _adapt_to_company()
    if brokered:
        import _pyisolate_policy

        _pyisolate_policy.resolve_by_host(_api)


def _adapt_to_company():
    """For an interpreter that isn't the process's only one."""
    # Built-in modules have lost what acts on the whole process already; `sys` is made in another way.
    for name in ("setdlopenflags", "activate_stack_trampoline", "deactivate_stack_trampoline"):
        sys.__dict__.pop(name, None)
    # CPython's own sleep waits for signals, which only the main interpreter gets.
    time.sleep = _native.sleep


def warm_up(whole=True):
    """Does what every sandbox does first. `whole`: with what it does when it fails.

    The zygote does it once, so that what is made lazily is made before a cell is forked; a blank cell does it
    again, so that the pages this writes to are its own before it becomes somebody's.
    """
    global _blank
    namespace = open_sandbox(None)
    run(namespace, compile_program("def f(a, *b, c=1, **d):\n    return [a for a in b]\nx = f(1, 2)\n", "<warm-up>"))
    run(namespace, compile_expression("f(1)", "<warm-up>"))
    call(namespace, "f", [1], {})
    if whole:
        try:
            run(namespace, compile_program("1 / 0", "<warm-up>"))
        except ZeroDivisionError as error:
            describe(error)
        sys.modules["linecache"].cache.clear()
    _sources.clear()
    del sys.modules["__main__"]
    _blank = _new_main()


def _new_main():
    main = type(sys)("__main__")
    main.__builtins__ = builtins
    main.__dict__.update(post=_api.post, recv=_api.recv, host=_api.host)
    return main


def open_sandbox(inputs, settings=None):
    """Binds the names a guest starts with; returns its namespace. `settings`: what its policy means for Python."""
    global _blank
    if settings:
        _settle(settings)
    main = _blank or _new_main()
    _blank = None
    sys.modules["__main__"] = main
    if inputs:
        main.__dict__.update(inputs)
    return main.__dict__


def _settle(settings):
    environment = settings.get("environment")
    if environment:
        import os

        # Not by putenv: the C environment is the whole cell's.
        for name, value in environment.items():
            os.environ._data[os.environ.encodekey(name)] = os.environ.encodevalue(value)
    if settings.get("imports"):
        import _pyisolate_policy

        _pyisolate_policy.rule_imports(_api, **settings["imports"])


def _compile(code, filename, mode):
    _sources.pop(filename, None)
    _sources[filename] = (len(code), None, code.splitlines(True), filename)
    linecache = sys.modules.get("linecache")
    while len(_sources) > _MOST_SOURCES:
        oldest = next(iter(_sources))
        del _sources[oldest]
        if linecache is not None:
            linecache.cache.pop(oldest, None)
    if linecache is not None:
        linecache.cache[filename] = _sources[filename]
    return compile(code, filename, mode, dont_inherit=True)


def compile_program(code, filename):
    return _compile(code, filename, "exec")


def compile_expression(code, filename):
    return _compile(code.strip(), filename, "eval")


def run(namespace, code):
    """Runs compiled code: an expression's value, None otherwise."""
    try:
        return eval(code, namespace)
    finally:
        flush()


def call(namespace, name, args, kwargs):
    first, *rest = name.split(".")
    if first in namespace:
        target = namespace[first]
    elif hasattr(builtins, first):
        target = getattr(builtins, first)
    else:
        raise NameError(f"name {first!r} is not defined", name=first)
    for part in rest:
        target = getattr(target, part)
    try:
        return target(*args, **kwargs)
    finally:
        flush()


def flush():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, ValueError, OSError):  # the guest has put something else there
            pass


def _text(value, most=_MOST_TEXT):
    text = str(value)
    if len(text) > most:
        text = f"{text[: most // 2]}\n[... {len(text) - most} characters ...]\n{text[-most // 2 :]}"
    return text.encode("utf-8", "backslashreplace").decode()


def _limit_of(error):
    """The limit that the kernel, or the engine, has kept by this exception; as this side sees it."""
    if type(error) is MemoryError:
        return "memory"
    if type(error) is OSError:
        return "openFiles" if error.errno == 24 else "fileSize" if error.errno == 27 else None  # EMFILE, EFBIG
    if type(error) is RuntimeError and _text(error, 100).startswith("can't start new thread"):
        return "threads"
    return None


def describe(error):
    """A guest's exception as data for the supervisor."""
    # Not at the top: in an interpreter of its own they cost more than all the rest, and most guests don't fail.
    import linecache
    import traceback

    linecache.cache.update(_sources)
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename in _OWN:
        trace = trace.tb_next
    seen = traceback.TracebackException(type(error), error, trace, compact=True)
    frames = list(seen.stack)
    if len(frames) > _MOST_FRAMES:
        frames = frames[: _MOST_FRAMES // 2] + frames[-_MOST_FRAMES // 2 :]
    try:
        message = _text(error)
    except Exception as problem:
        message = f"<message unavailable: {type(problem).__name__}>"
    described = [
        {
            "file": _text(frame.filename, 4096),
            "line": frame.lineno or 0,
            "function": _text(frame.name, 1024),
            "source": _text(frame.line or "", 4096),
        }
        for frame in frames
    ]
    if isinstance(error, SyntaxError) and isinstance(error.filename, str):
        described.append(
            {
                "file": _text(error.filename, 4096),
                "line": error.lineno or 0,
                "function": "<module>",
                "source": _text((error.text or "").strip(), 4096),
            }
        )
    limit = _limit_of(error)
    return {
        **({"limit": limit} if limit else {}),
        "type": _text(type(error).__name__, 1024),
        "module": _text(type(error).__module__, 1024),
        "message": message,
        "traceback": _text("".join(seen.format())),
        "frames": described,
    }


def exit_code(error):
    """What a process would end with after this SystemExit."""
    code = error.code
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    print(code, file=sys.stderr)
    return 1


def finish():
    """The guest's atexit functions, then what it has printed."""
    atexit._run_exitfuncs()
    flush()
