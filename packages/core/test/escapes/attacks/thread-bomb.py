# Threads, as many as there can be; this one stops at 200.
def attack(arena):
    import threading

    done = threading.Event()
    threads = []
    try:
        while len(threads) < 200:
            thread = threading.Thread(target=done.wait)
            thread.start()
            threads.append(thread)
    finally:
        done.set()
        for thread in threads:
            thread.join()
    return f"{len(threads)} threads"
