# A program of the host.
def attack(arena):
    import subprocess

    return subprocess.run(["/bin/sh", "-c", f"echo was here > '{arena['marker']}'"], check=True).returncode
