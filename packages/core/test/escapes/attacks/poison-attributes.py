# Its attributes: no file has to be opened for these. They are set to what they are.
def attack(arena):
    info = os.stat(os.__file__)
    done, last = [], None
    for name, call in {
        "utime": lambda: os.utime(os.__file__, ns=(info.st_atime_ns, info.st_mtime_ns)),
        "chmod": lambda: os.chmod(os.__file__, info.st_mode & 0o7777),
        "fchmod": lambda: os.fchmod(os.open(os.__file__, os.O_RDONLY), info.st_mode & 0o7777),
        "chown": lambda: os.chown(os.__file__, info.st_uid, info.st_gid),
        "setxattr": lambda: os.setxattr(os.__file__, "user.pyisolate", b""),
    }.items():
        try:
            call()
            done.append(name)
        except OSError as error:
            last = error
    if not done:
        raise last
    return ", ".join(done)
