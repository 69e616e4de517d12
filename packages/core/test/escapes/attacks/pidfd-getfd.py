# A descriptor out of another process.
def attack(arena):
    process = syscall(arena, "pidfd_open", arena["victim"], 0)
    for fd in range(3, 64):
        try:
            file = syscall(arena, "pidfd_getfd", process, fd, 0)
            if os.path.samestat(os.fstat(file), os.stat(arena["secret_file"])):
                return reveals(os.pread(file, 4096, 0), arena)
        except OSError as error:
            if error.errno != errno.EBADF:
                raise
    raise Failed("its open file was not found")
