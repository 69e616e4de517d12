"""Files and sockets that the supervisor has for a guest: what `pyisolate.open`, `connect`, `listen` and `datagram` return.

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


def _ask(what, timeout, *args, name=None, number=None):
    number = number or next(_numbers)
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


class _Handle:
    """What the supervisor has open, by its number."""

    def __init__(self, handle: int | None, timeout: float | None):
        self._handle = handle
        self._timeout = timeout

    def _check(self) -> int:
        if self._handle is None:
            raise OSError(9, posix.strerror(9))
        return self._handle

    def settimeout(self, timeout: float | None) -> None:
        """Seconds that each operation has from now on, or None for no end."""
        self._timeout = timeout

    def gettimeout(self) -> float | None:
        return self._timeout

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


class Socket(_Handle):
    """A stream that the supervisor has connected. Its methods are those of `socket.socket`."""

    def __init__(self, handle: int | None, timeout: float | None):
        super().__init__(handle, timeout)
        self._received = 0
        self._reading = allocate_lock()

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


class Listener(_Handle):
    """What listens for this sandbox. The kernel keeps those that nobody has accepted yet, up to a number."""

    def __init__(self, handle: int, name: object, timeout: float | None):
        super().__init__(handle, timeout)
        self._name = name

    def getsockname(self) -> object:
        """Where: `(host, port)`, or a Unix socket's path."""
        return self._name

    def accept(self) -> tuple[Socket, object]:
        """The next connection, and its peer's address."""
        number = next(_numbers)
        socket = Socket(None, self._timeout)
        try:
            socket._handle, host, port = _ask("accept", self._timeout, self._check(), number=number)
            return socket, host if isinstance(self._name, str) else (host, port)
        except (OSError, _api.HostError, EOFError):
            raise
        except BaseException:
            # Interrupted, perhaps with the connection in hand: the next call gets it.
            socket._handle = None
            _ask_host("cancel", number, None)
            raise


class Datagrams(_Handle):
    """A UDP socket. What comes and is not taken is kept up to a number of bytes, and then lost."""

    def __init__(self, handle: int, name: tuple[str, int], timeout: float | None):
        super().__init__(handle, timeout)
        self._name = name

    def getsockname(self) -> tuple[str, int]:
        """Where it is bound, or with port 0 that it isn't."""
        return self._name

    def sendto(self, data, address: tuple[str, int]) -> int:
        """Sends one datagram, whole."""
        host, port = address
        with memoryview(data).cast("B") as view:
            return _ask("sendto", self._timeout, self._check(), host, bytes(view), port)

    def recvfrom(self, size: int = _MOST) -> tuple[bytes, tuple[str, int]]:
        """The next datagram, what it has beyond `size` bytes cut off, and where it is from."""
        data, host, port = _ask("recvfrom", self._timeout, self._check())
        return data[:size], (host, port)


def _place(address, schemes):
    """Of "tcp://host:port", "unix://path" or `(host, port)`: the host and the port, which is None for a path."""
    if not isinstance(address, str):
        host, port = address
        if isinstance(port, bool) or not isinstance(port, int):
            raise TypeError("port must be an int")
        return host, port
    scheme, _, rest = address.partition("://")
    if scheme == "unix" and scheme in schemes:
        return rest, None
    host, _, number = rest.rpartition(":")
    if scheme not in schemes or not number.isdecimal():
        raise ValueError(f"expected {schemes[0]}://host:port{' or unix:///path' * ('unix' in schemes)}, not {address!r}")
    return host.removeprefix("[").removesuffix("]"), int(number)


def dial(address, timeout):
    return Socket(_ask("connect", timeout, *_place(address, ("tcp", "unix"))), timeout)


def listen_at(address, timeout):
    host, port = _place(address, ("tcp", "unix"))
    handle, at, number = _ask("listen", timeout, host or "0.0.0.0", port)
    return Listener(handle, at if port is None else (at, number), timeout)


def datagram_at(address, timeout):
    host, port = (None, None) if address is None else _place(address, ("udp",))
    handle, at, number = _ask("datagram", timeout, host if address is None else host or "0.0.0.0", port)
    return Datagrams(handle, (at, number), timeout)
