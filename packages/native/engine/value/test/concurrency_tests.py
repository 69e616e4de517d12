"""Values changed by other threads meanwhile, and several interpreters at once."""

import threading
import time

import _interpreters
from _value import decode, encode

from support import test


def while_running(change, check, seconds=0.6, threads=2):
    """Runs `check` over and over while threads run `change`; the first exception of any is raised."""
    failures = []
    end = time.monotonic() + seconds

    def loop():
        try:
            while time.monotonic() < end and not failures:
                change()
        except BaseException as error:
            failures.append(error)

    workers = [threading.Thread(target=loop) for _ in range(threads)]
    for worker in workers:
        worker.start()
    try:
        while time.monotonic() < end and not failures:
            check()
    finally:
        end = 0
        for worker in workers:
            worker.join()
    if failures:
        raise failures[0]


@test('threads: a list that grows and shrinks')
def _():
    shared = list(range(1000))

    def change():
        del shared[500:]
        shared.extend([object(), 2**100, 'x' * 3][1:])
        shared[:] = [str(i) for i in range(1000)]
        shared.clear()

    while_running(change, lambda: decode(encode([shared])))


@test('threads: a dict that grows and shrinks')
def _():
    shared = {}

    def change():
        for i in range(40):
            shared[f'key {i}'] = [f'value {i}']
        for i in range(0, 40, 2):
            shared.pop(f'key {i}', None)
        shared.clear()

    def check():
        got = decode(encode(shared))  # would be refused if a key came twice
        assert all(v[0] == k.replace('key', 'value') for k, v in got.items()), got

    while_running(change, check)


@test('threads: a set, a bytearray and attributes')
def _():
    numbers, data = set(), bytearray(100)

    class Thing:
        pass

    thing = Thing()

    def change():
        for i in range(50):
            numbers.add(i)
            setattr(thing, f'a{i % 10}', [i])
        numbers.clear()
        data[:] = b'x' * 100
        for i in range(10):
            try:
                delattr(thing, f'a{i}')
            except AttributeError:
                pass

    while_running(change, lambda: decode(encode([numbers, data, vars(thing)])))


@test('threads: many encode and decode at once')
def _():
    value = {'rows': [{'id': i, 'name': f'name {i}', 'tags': {i, i + 1}} for i in range(50)]}
    data = encode(value)

    def work():
        assert decode(data) == value
        assert len(encode(value)) == len(data)

    while_running(work, work, threads=3)


SCRIPT = '''if True:
    import _value, datetime
    from array import array
    moment = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    value = {'moment': moment, 'array': array('d', [1.5]), 'set': {1, 'a', (2,)}, 'big': 2**100, 'list': [None] * 50}
    for _ in range(%d):
        got = _value.decode(_value.encode(value))
        assert got == value, got
        assert type(got['moment']) is datetime.datetime and type(got['array']) is array
    for bad, kind in ((lambda: 0, TypeError), ('\\ud800', ValueError)):
        try: _value.encode([bad])
        except kind: pass
        else: raise AssertionError(bad)
    '''


@test('interpreters: several at once, made and destroyed again and again')
def _():
    failures = []

    def run():
        try:
            for rounds in (1, 300, 1):
                interpreter = _interpreters.create('isolated')
                try:
                    error = _interpreters.run_string(interpreter, SCRIPT % rounds)
                    if error is not None:
                        failures.append(error.formatted)
                finally:
                    _interpreters.destroy(interpreter)
        except BaseException as error:
            failures.append(repr(error))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    exec(SCRIPT % 300, {})
    for thread in threads:
        thread.join()
    assert not failures, failures
