"""What the same interpreter does without us: forked and run bare, in the size that a zygote has.

Reads one JSON array a line, [command, argument, ...], and answers one JSON object; times in nanoseconds.
Run as `python -I -S floor.py`.
"""
import gc
import importlib
import json
import os
import signal
import sys
import time

now = time.monotonic_ns
FIRST_LINE = compile("first = 6 * 7", "<floor>", "exec")


def import_modules(names):
    """As a zygote: imports, then takes all that is there out of the collector's sight."""
    imported = 0
    for name in names:
        try:
            importlib.import_module(name)
            imported += 1
        except Exception:  # the engine's own modules exist in the engine alone
            pass
    gc.collect()
    gc.freeze()
    return {"value": imported}


def first_line():
    scope = {}
    exec(FIRST_LINE, scope)
    return scope["first"] == 42


def fork(count, pause_us):
    told = os.eventfd(0)
    samples = []
    for _ in range(count):
        if pause_us:
            time.sleep(pause_us / 1e6)
        start = now()
        child = os.fork()
        if child == 0:
            if first_line():
                os.eventfd_write(told, 1)
            os._exit(0)
        os.eventfd_read(told)
        samples.append(now() - start)
        os.waitpid(child, 0)
    os.close(told)
    return {"samples": samples}


def rate(count, together):
    """Forks that run a line and exit, per second, so many under way at a time."""
    start = now()
    running = 0
    for _ in range(count):
        if running == together:
            os.wait()
            running -= 1
        if os.fork() == 0:
            os._exit(0 if first_line() else 1)
        running += 1
    for _ in range(running):
        os.wait()
    return {"samples": [count * 1e9 / (now() - start)]}


def rollup(pid):
    sizes = {}
    with open(f"/proc/{pid}/smaps_rollup") as file:
        for line in file:
            words = line.split()
            if len(words) == 3 and words[2] == "kB":
                sizes[words[0]] = int(words[1])
    return sizes["Private_Clean:"] + sizes["Private_Dirty:"], sizes["Pss:"]


def idle(count):
    """Private and proportional KiB of children that ran one line and wait."""
    told = os.eventfd(0)
    children = []
    for _ in range(count):
        child = os.fork()
        if child == 0:
            if first_line():
                os.eventfd_write(told, 1)
            signal.pause()
        os.eventfd_read(told)
        children.append(child)
    sizes = [rollup(child) for child in children]
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    os.close(told)
    return {"private": [size[0] for size in sizes], "proportional": [size[1] for size in sizes]}


def interpreters(count):
    """KiB of each bare sub-interpreter, one line run in each."""
    import _interpreters

    def make():
        one = _interpreters.create("isolated")
        _interpreters.run_string(one, "first = 6 * 7")
        return one

    made = [make()]
    before = rollup("self")
    made += [make() for _ in range(count)]
    after = rollup("self")
    for one in made:
        _interpreters.destroy(one)
    return {
        "private": [(after[0] - before[0]) / count],
        "proportional": [(after[1] - before[1]) / count],
    }


def cpu(source, count):
    scope = {}
    exec(source, scope)
    samples = []
    for _ in range(count):
        took, answer = scope["timed"]()
        samples.append(took)
    return {"samples": samples, "answer": answer}


COMMANDS = {f.__name__: f for f in (import_modules, fork, rate, idle, interpreters, cpu)}

for line in sys.stdin:
    command, *arguments = json.loads(line)
    try:
        answer = COMMANDS[command](*arguments)
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
