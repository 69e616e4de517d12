# The kernel's own socket: the host's interfaces and addresses.
def attack(arena):
    import socket

    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as kernel:
        kernel.bind((0, 0))
    return [name for _, name in socket.if_nameindex()]
