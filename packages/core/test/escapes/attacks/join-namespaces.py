# The namespaces of a process of the host, by its pidfd.
def attack(arena):
    process = os.pidfd_open(arena["victim"])
    os.setns(process, os.CLONE_NEWNET | os.CLONE_NEWIPC | os.CLONE_NEWUTS)
    return "joined them"
