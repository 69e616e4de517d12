"""What a policy means inside Python: names are resolved by the supervisor, and imports are explained.

Not a boundary: whoever runs code here can undo it. The kernel and the broker are.
"""

import builtins
import sys

_AF_UNSPEC, _AF_INET, _AF_INET6 = 0, 2, 10
_STREAM, _DGRAM = 1, 2
_AI_PASSIVE, _AI_CANONNAME, _AI_NUMERICHOST = 1, 2, 4
_EAI_NONAME, _EAI_SERVICE, _EAI_FAMILY, _EAI_AGAIN = -2, -8, -6, -3
_SERVICES = {"domain": 53, "ftp": 21, "http": 80, "https": 443, "imap": 143, "ntp": 123, "smtp": 25, "ssh": 22}


def resolve_by_host(api):
    """A cell has no resolver of its own: no configuration, no name server it could reach."""
    import _socket

    ask = api._HostFunction("__resolve__")

    def fail(code, text):
        raise _socket.gaierror(code, text)

    def port_of(port):
        if port is None:
            return 0
        if isinstance(port, int):
            return port
        text = port.decode("ascii", "replace") if isinstance(port, bytes) else port
        if text.isdecimal():
            return int(text)
        if text not in _SERVICES:
            fail(_EAI_SERVICE, "Servname not supported for ai_socktype")
        return _SERVICES[text]

    def numeric(host):
        for family in (_AF_INET, _AF_INET6):
            try:
                _socket.inet_pton(family, host.partition("%")[0])
                return family
            except OSError:
                continue
        return None

    def addresses(host, family, flags):
        if host is None or host == "":
            wild = flags & _AI_PASSIVE
            return [(_AF_INET6, "::" if wild else "::1"), (_AF_INET, "0.0.0.0" if wild else "127.0.0.1")]
        own = numeric(host)
        if own is not None:
            return [(own, host)]
        if flags & _AI_NUMERICHOST:
            fail(_EAI_NONAME, "Name or service not known")
        try:
            return [(_AF_INET6 if ":" in address else _AF_INET, address) for address in ask(host)]
        except api.HostError as error:
            again = error.code == "EAI_AGAIN"
            fail(_EAI_AGAIN if again else _EAI_NONAME, str(error))

    def getaddrinfo(host, port, family=0, type=0, proto=0, flags=0):
        sys.audit("socket.getaddrinfo", host, port, family, type, proto)
        if isinstance(host, (bytes, bytearray)):
            host = bytes(host).decode("ascii")
        elif isinstance(host, str) and not host.isascii():
            host = host.encode("idna").decode("ascii")
        number = port_of(port)
        kinds = [(_STREAM, 6), (_DGRAM, 17)]
        chosen = [(k, p) for k, p in kinds if (type & 0xF) in (0, k) and proto in (0, p)]
        found = []
        for at, (kind, address) in enumerate(addresses(host, family, flags)):
            if family not in (_AF_UNSPEC, kind):
                continue
            name = (host or "") if flags & _AI_CANONNAME and at == 0 else ""
            place = (address, number) if kind == _AF_INET else (address, number, 0, 0)
            found += [(kind, k, p, name, place) for k, p in chosen]
        if not found:
            fail(_EAI_NONAME if host else _EAI_FAMILY, "Name or service not known")
        return found

    def gethostbyname(host):
        return getaddrinfo(host, 0, _AF_INET, _STREAM)[0][4][0]

    def gethostbyname_ex(host):
        return host, [], [entry[4][0] for entry in getaddrinfo(host, 0, _AF_INET, _STREAM)]

    def gethostbyaddr(host):
        raise _socket.herror(1, "Unknown host")

    for function in (getaddrinfo, gethostbyname, gethostbyname_ex, gethostbyaddr):
        setattr(_socket, function.__name__, function)


def rule_imports(api, allow, deny, policy):
    """Refuses modules by name; a name covers what is below it. What an allowed module imports itself is its matter."""
    plain = builtins.__import__
    tell = api._HostFunction("__denied__")

    def refuse(module, why):
        error = ImportError(f"the policy {policy} {why} {module}", name=module)
        try:
            tell(module)
        except Exception as problem:
            raise error from problem
        raise error

    def covered(names, module):
        return any(module == name or module.startswith(name + ".") for name in names)

    def check(module, importer):
        if covered(deny, module):
            refuse(module, "denies to import")
        outside = importer in (None, "__main__") or importer.startswith("<")
        if allow and outside and not covered(allow, module):
            refuse(module, "does not allow to import")

    def ruled(name, globals=None, locals=None, fromlist=(), level=0):
        if level == 0:
            importer = globals.get("__name__") if isinstance(globals, dict) else None
            check(name, importer)
            for item in fromlist or ():
                if isinstance(item, str) and covered(deny, f"{name}.{item}"):
                    check(f"{name}.{item}", importer)
        return plain(name, globals, locals, fromlist, level)

    def hook(event, arguments):
        # By other ways than the statement: importlib, and modules that others import.
        if event == "import" and covered(deny, arguments[0]):
            check(arguments[0], None)

    builtins.__import__ = ruled
    sys.addaudithook(hook)
