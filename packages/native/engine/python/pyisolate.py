"""What sandboxed code speaks to its supervisor with: the same names are bound in its namespace."""

import _pyisolate as _native

__all__ = ["HostError", "host", "post", "recv"]


class HostError(Exception):
    """A host function failed. `type` is the name of the host's error, `code` its stable code or None."""

    def __init__(self, message: str, type: str = "Error", code: str | None = None):
        super().__init__(message)
        self.type = type
        self.code = code


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
        raise HostError(str(value.get("message", "")), str(value.get("type", "Error")), value.get("code"))

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
