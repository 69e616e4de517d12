# A file wherever one can be made, or room taken up.
def attack(arena):
    import json
    import tempfile

    last = Failed("no folder")
    for folder in ("/", "/tmp", "/dev", "/dev/shm", "/run", "/var/tmp", os.getcwd(), os.path.dirname(json.__file__)):
        try:
            with tempfile.TemporaryFile(dir=folder) as file:
                file.write(b"x" * 4096)
                return folder
        except OSError as error:
            last = error
    raise last
