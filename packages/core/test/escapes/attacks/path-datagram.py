# The same by one of a pair: the folder may be one that is granted for reading.
def attack(arena):
    import socket

    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with one, other:
        one.sendto(b"was here", arena["path_datagram"])
    return "sent"
