# What another process was started with, holds open and keeps in memory.
def attack(arena):
    where = f"/proc/{arena['victim']}"
    with open(f"{where}/environ", "rb") as environ:
        reveals(environ.read(), arena)
    for fd in os.listdir(f"{where}/fd"):
        try:
            with open(f"{where}/fd/{fd}", "rb") as file:
                if os.path.samestat(os.fstat(file.fileno()), os.stat(arena["secret_file"])):
                    return reveals(file.read(), arena)
        except OSError:
            continue
    raise Failed("its open file was not found")
