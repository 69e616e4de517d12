# A Unix socket without a file, for whoever knows its name.
def attack(arena):
    import socket

    with socket.socket(socket.AF_UNIX) as host:
        host.connect("\0" + arena["abstract"])
        return reveals(host.recv(4096), arena)
