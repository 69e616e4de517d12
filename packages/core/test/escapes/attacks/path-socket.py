# A Unix socket in a folder.
def attack(arena):
    import socket

    with socket.socket(socket.AF_UNIX) as host:
        host.connect(arena["path_socket"])
        return reveals(host.recv(4096), arena)
