# A worker process.
def attack(arena):
    import multiprocessing

    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.apply(abs, (-1,))
