# A server on the host's loopback interface.
def attack(arena):
    import socket

    with socket.create_connection(("127.0.0.1", arena["port"]), timeout=5) as host:
        return reveals(host.recv(4096), arena)
