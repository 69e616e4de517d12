"""Files and sockets that the supervisor has for a guest, as `pyisolate.open` and `pyisolate.connect` give them out.

Not a boundary: the supervisor judges each request by the policy in force, whoever sends it.
"""

import io
import itertools
import posix
from _thread import allocate_lock

import pyisolate as _api

_ask_host = _api._HostFunction("__io__")
_numbers = itertools.count(1)
_MOST = 1 << 16  # bytes that one request carries
_ACCESS = {"r": posix.O_RDONLY, "w": posix.O_WRONLY, "x": posix.O_WRONLY, "a": posix.O_WRONLY}
_MAKES = {"r": 0, "w": posix.O_CREAT | posix.O_TRUNC, "x": posix.O_CREAT | posix.O_EXCL, "a": posix.O_CREAT}


def _ask(what, timeout, *args, name=None):
    number = next(_numbers)
    try:
        status, value = _ask_host(what, number, timeout, *args)
    except (_api.HostError, EOFError):
        raise
    except BaseException:
        # Interrupted: nobody takes the answer any more.
        _ask_host("cancel", number, None)
        raise
    if status == 0:
        return value
    if isinstance(status, str):
        import _socket

        again = status == "EAI_AGAIN"
        raise _socket.gaierror(-3 if again else -2, str(value) if again else "Name or service not known")
    if name is None:
        raise OSError(status, posix.strerror(status))
    raise OSError(status, posix.strerror(status), name)


class _File(io.RawIOBase):
    """A regular file, at a position of its own."""

    def __init__(self, path: str, mode: str, kind: str, updates: bool, timeout: float | None):
        self._handle = None
        self.name = path
        self.mode = mode
        self._reads = kind == "r" or updates
        self._writes = kind != "r" or updates
        self._appends = kind == "a"
        self._timeout = timeout
        flags = (posix.O_RDWR if updates else _ACCESS[kind]) | _MAKES[kind]
        self._handle, self._size = _ask("open", timeout, path, flags, 0o666, name=path)
        self._position = self._size if self._appends else 0

    def _check(self):
        if self.closed:
            raise ValueError("I/O operation on closed file")
        return self._handle

    def readable(self) -> bool:
        return self._reads

    def writable(self) -> bool:
        return self._writes

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        handle = self._check()
        if not self._reads:
            raise io.UnsupportedOperation("not readable")
        with memoryview(buffer).cast("B") as view:
            data = _ask("read", self._timeout, handle, self._position, min(len(view), _MOST))
            view[: len(data)] = data
        self._position += len(data)
        return len(data)

    def write(self, data) -> int:
        handle = self._check()
        if not self._writes:
            raise io.UnsupportedOperation("not writable")
        with memoryview(data).cast("B") as view:
            piece = bytes(view[:_MOST])
        if self._appends:
            self._position = self._size
        count = _ask("write", self._timeout, handle, self._position, piece)
        self._position += count
        self._size = max(self._size, self._position)
        return count

    def seek(self, offset: int, whence: int = 0) -> int:
        self._check()
        if whence not in (0, 1, 2):
            raise ValueError(f"invalid whence ({whence}, should be 0, 1 or 2)")
        position = offset + (0, self._position, self._size)[whence]
        if position < 0:
            raise OSError(22, posix.strerror(22))
        self._position = position
        return position

    def close(self) -> None:
        handle, self._handle = self._handle, None
        super().close()
        if handle is not None:
            _close(handle)


def _close(handle):
    try:
        _ask("close", None, handle)
    except EOFError:  # the sandbox is being closed, and with it all that it has open
        pass


def open_file(path, mode, encoding, errors, newline, timeout):
    path = posix.fspath(path)
    if not isinstance(path, str):
        raise TypeError(f"path must be text, not {type(path).__name__}")
    if not isinstance(mode, str):
        raise TypeError("mode must be a str")
    letters = set(mode)
    kinds = letters & set("rwxa")
    if letters - set("rwxabt+") or len(letters) != len(mode) or len(kinds) != 1 or letters >= set("bt"):
        raise ValueError(f"invalid mode: {mode!r}")
    binary = "b" in letters
    if binary and (encoding, errors, newline) != (None, None, None):
        raise ValueError("binary mode takes no encoding, errors or newline argument")
    kind, updates = kinds.pop(), "+" in letters
    raw = _File(path, mode, kind, updates, timeout)
    buffered = io.BufferedRandom if updates else io.BufferedReader if kind == "r" else io.BufferedWriter
    file = buffered(raw, _MOST)
    if binary:
        return file
    text = io.TextIOWrapper(file, encoding or "utf-8", errors, newline)
    text.mode = mode
    return text


class _SocketFile(io.RawIOBase):
    def __init__(self, socket):
        self._socket = socket

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        return self._socket.recv_into(buffer)

    def write(self, data) -> int:
        return self._socket.send(data)


class Socket:
    """A stream that the supervisor has connected. Its methods are those of `socket.socket`."""

    def __init__(self, handle: int, timeout: float | None):
        self._handle = handle
        self._timeout = timeout
        self._received = 0
        self._reading = allocate_lock()

    def _check(self) -> int:
        if self._handle is None:
            raise OSError(9, posix.strerror(9))
        return self._handle

    def settimeout(self, timeout: float | None) -> None:
        """Seconds that each operation has from now on, or None for no end."""
        self._timeout = timeout

    def gettimeout(self) -> float | None:
        return self._timeout

    def recv(self, size: int = _MOST) -> bytes:
        """Up to `size` bytes, as soon as there are some; none when the peer has ended."""
        with self._reading:
            # What was received before is named, so that an answer that an interrupt lost comes once more.
            data = _ask("receive", self._timeout, self._check(), self._received, min(size, _MOST))
            self._received += len(data)
        return data

    def recv_into(self, buffer, size: int = 0) -> int:
        with memoryview(buffer).cast("B") as view:
            data = self.recv(min(size or len(view), len(view)))
            view[: len(data)] = data
        return len(data)

    def send(self, data) -> int:
        with memoryview(data).cast("B") as view:
            piece = bytes(view[:_MOST])
        return _ask("send", self._timeout, self._check(), piece)

    def sendall(self, data) -> None:
        with memoryview(data).cast("B") as view:
            sent = 0
            while sent < len(view):
                sent += self.send(view[sent:])

    def shutdown(self, how: int = 1) -> None:
        """Tells the peer that nothing more is sent: SHUT_WR, the only way there is."""
        if how != 1:
            raise OSError(95, posix.strerror(95))
        _ask("shut", self._timeout, self._check())

    def makefile(self, mode: str = "r", *, encoding=None, errors=None, newline=None):
        """A file that reads from it, or with "w" writes to it; closing that leaves it open."""
        raw = _SocketFile(self)
        file = io.BufferedWriter(raw) if "w" in mode else io.BufferedReader(raw)
        return file if "b" in mode else io.TextIOWrapper(file, encoding or "utf-8", errors, newline)

    def close(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            _close(handle)

    def __enter__(self):
        return self

    def __exit__(self, *error) -> None:
        self.close()

    def __del__(self):
        self.close()


def dial(address, timeout):
    if isinstance(address, str):
        scheme, _, rest = address.partition("://")
        if scheme == "unix":
            host, port = rest, None
        else:
            host, _, number = rest.rpartition(":")
            if scheme != "tcp" or not number.isdecimal():
                raise ValueError(f"expected tcp://host:port or unix:///path, not {address!r}")
            host, port = host.removeprefix("[").removesuffix("]"), int(number)
    else:
        host, port = address
        if isinstance(port, bool) or not isinstance(port, int):
            raise TypeError("port must be an int")
    return Socket(_ask("connect", timeout, host, port), timeout)
