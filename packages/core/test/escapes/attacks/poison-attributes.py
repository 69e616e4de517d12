# Its attributes: no file has to be opened for these. They are set to what they are.
def attack(arena):
    import json

    info = os.stat(json.__file__)
    done, last = [], None
    for name, call in {
        "utime": lambda: os.utime(json.__file__, ns=(info.st_atime_ns, info.st_mtime_ns)),
        "chmod": lambda: os.chmod(json.__file__, info.st_mode & 0o7777),
        "fchmod": lambda: os.fchmod(os.open(json.__file__, os.O_RDONLY), info.st_mode & 0o7777),
        "chown": lambda: os.chown(json.__file__, info.st_uid, info.st_gid),
        "setxattr": lambda: os.setxattr(json.__file__, "user.pyisolate", b""),
    }.items():
        try:
            call()
            done.append(name)
        except OSError as error:
            last = error
    if not done:
        raise last
    return ", ".join(done)
