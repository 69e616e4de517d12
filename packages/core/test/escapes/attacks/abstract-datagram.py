# The same for sockets that need not be made: one of a pair can still be given another peer.
def attack(arena):
    import socket

    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with one, other:
        one.sendto(b"was here", "\0" + arena["abstract_datagram"])
    return "sent"
