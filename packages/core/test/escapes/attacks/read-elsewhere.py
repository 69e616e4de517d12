# The same by other ways: upwards from every folder there is, and through links.
def attack(arena):
    import json

    last = Failed("no way up")
    for start in ("/", ".", os.path.dirname(json.__file__)):
        try:
            fd = os.open(start, os.O_RDONLY | os.O_DIRECTORY)
            for _ in range(64):
                up = os.open("..", os.O_RDONLY | os.O_DIRECTORY, dir_fd=fd)
                os.close(fd)
                fd = up
            file = os.open(arena["secret_file"].lstrip("/"), os.O_RDONLY, dir_fd=fd)
            return reveals(os.read(file, 4096), arena)
        except OSError as error:
            last = error
    raise last
