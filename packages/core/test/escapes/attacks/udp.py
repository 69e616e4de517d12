# A datagram to the host's loopback interface.
def attack(arena):
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        return one.sendto(b"was here", ("127.0.0.1", arena["port"]))
