"""What sandboxed code speaks to its supervisor with: the same names are bound in its namespace."""

import builtins

import _pyisolate as _native

# Without `open`: a star import must not replace the built-in one.
__all__ = ["HostError", "connect", "datagram", "host", "listen", "post", "recv"]


class HostError(Exception):
    """A host function failed. `type` is the name of the host's error, `code` its stable code or None.

    One named like an exception of Python's is that as well: `except TimeoutError` catches it, too.
    """

    def __init__(self, message: str, type: str = "Error", code: str | None = None):
        super().__init__(message)
        self.type = type
        self.code = code

    def __str__(self) -> str:  # KeyError's own would quote it
        return str(self.args[0]) if self.args else ""


# What a function raises to tell its caller something. Not what Python itself acts on, as StopIteration.
_SHARED_NAMES = frozenset(
    "ArithmeticError AssertionError AttributeError BlockingIOError BrokenPipeError ConnectionAbortedError "
    "ConnectionError ConnectionRefusedError ConnectionResetError EOFError FileExistsError FileNotFoundError "
    "IndexError InterruptedError IsADirectoryError KeyError LookupError MemoryError NotADirectoryError "
    "NotImplementedError OSError OverflowError PermissionError ProcessLookupError RuntimeError TimeoutError "
    "TypeError ValueError ZeroDivisionError".split()
)
_host_errors = {}


def _host_error(name):
    if name not in _SHARED_NAMES:
        return HostError
    if name not in _host_errors:
        bases = (HostError, getattr(builtins, name))
        _host_errors[name] = type("HostError", bases, {"__module__": __name__, "__doc__": HostError.__doc__})
    return _host_errors[name]


def _failure(error):
    message, name = str(error.get("message", "")), str(error.get("type", "Error"))
    if error.get("plain") is True and name in _SHARED_NAMES:  # not the function's doing
        return getattr(builtins, name)(message)
    return _host_error(name)(message, name, error.get("code"))


def post(value: object, /) -> None:
    """Sends `value` to the supervisor's `recv()`. Blocks while it has too much unread."""
    _native.post(value)


def recv(timeout: float | None = None) -> object:
    """The next value that the supervisor sent.

    Waits for `timeout` seconds, or without end: TimeoutError when nothing came, EOFError when the
    supervisor has closed the sandbox.
    """
    return _native.recv(timeout)


class _HostFunction:
    __slots__ = ("__name__",)

    def __init__(self, name: str):
        self.__name__ = name

    def __call__(self, *args: object, **kwargs: object) -> object:
        ok, value = _native.host_call(self.__name__, args, kwargs)
        if ok:
            return value
        raise _failure(value)

    def __repr__(self) -> str:
        return f"<host function {self.__name__}>"


class Host:
    """The functions the supervisor offers: `host.name(...)`. Waits for the answer."""

    __slots__ = ()

    def __getattr__(self, name: str) -> _HostFunction:
        if name in _native.functions():
            return _HostFunction(name)
        raise AttributeError(f"the host offers no function {name!r}", name=name, obj=self)

    def __dir__(self) -> list[str]:
        return sorted(_native.functions())


host: Host = Host()


def open(
    path: str,
    mode: str = "r",
    *,
    encoding: str | None = None,
    errors: str | None = None,
    newline: str | None = None,
    timeout: float | None = None,
) -> "io.IOBase":
    """Opens a regular file through the supervisor, as the built-in `open` does where the sandbox may.

    Judged by the sandbox's policy: PermissionError where that denies it. `timeout`: seconds that opening, and each read
    and write, may take before TimeoutError. In mode "a" what others append meanwhile may be overwritten.
    """
    from _pyisolate_services import open_file

    return open_file(path, mode, encoding, errors, newline, timeout)


def connect(address: tuple[str, int] | str, *, timeout: float | None = None) -> "_pyisolate_services.Socket":
    """Connects a stream through the supervisor: to `(host, port)`, "tcp://host:port", "unix:///path" or "unix://@name".

    Judged by the sandbox's policy: PermissionError where that denies it. Returns an object with the methods of
    `socket.socket`; `timeout` is in seconds, and that of each operation until `settimeout` changes it.
    """
    from _pyisolate_services import dial

    return dial(address, timeout)


def listen(address: tuple[str, int] | str, *, timeout: float | None = None) -> "_pyisolate_services.Listener":
    """Listens through the supervisor, at an address as `connect` takes it; port 0 for one that the kernel chooses.

    Judged by the sandbox's policy (`net.bind`): PermissionError where that denies it. Who connects is not. Returns an
    object whose `accept` is that of `socket.socket`; `timeout`: seconds that each operation has.
    """
    from _pyisolate_services import listen_at

    return listen_at(address, timeout)


def datagram(
    address: tuple[str, int] | str | None = None, *, timeout: float | None = None
) -> "_pyisolate_services.Datagrams":
    """A UDP socket of the supervisor's: bound to `(host, port)` or "udp://host:port", or one that only sends and is answered.

    Judged by the sandbox's policy (`net.bind`, and `net.sendto` for each datagram): PermissionError where that denies it.
    Returns an object with `sendto` and `recvfrom` as `socket.socket` has them.
    """
    from _pyisolate_services import datagram_at

    return datagram_at(address, timeout)
