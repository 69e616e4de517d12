"""Bytes that nobody vouches for: any of them gives a value or one of four exceptions, in little time and memory."""

import gc
import os
import random
import sys
import time

from _value import decode, encode, skim

import support
from roundtrip_tests import value
from support import load, refuses, test

EXPECTED = (ValueError, TypeError, RecursionError, OverflowError)


def attempt(data):
    try:
        decode(data)
    except EXPECTED as error:
        if type(error) not in EXPECTED or not str(error).startswith('value at byte '):
            raise AssertionError(f'unexpected for {data.hex()}') from error
        return error
    # Strictness aside, whatever decodes is well-formed.
    assert skim(data) is None, (data.hex(), skim(data))
    return None


@test('hostile: every truncation')
def _():
    rng = random.Random(support.seed)
    messages = [bytes.fromhex(v['hex']) for v in load('values.json') + load('rfc8949.json') if 'refused' not in v]
    messages += [encode(value(rng, 3)) for _ in range(100)]
    for message in messages:
        for size in range(min(len(message), 3000)):
            assert type(attempt(message[:size])) is ValueError, (message.hex(), size)
        assert 'more bytes follow' in str(attempt(message + b'\xf6'))


@test('hostile: nested a million deep')
def _():
    for opening in ('81', 'a100', 'd9010281', '8200'):
        levels = bytes.fromhex(opening) * 1_000_000
        error = attempt(levels + b'\x00' * 10)
        assert type(error) is RecursionError, error
        refuses(RecursionError, '.*the limit of 1024 levels', decode, levels, depth=2**32 - 1)
        assert skim(levels) is not None
    for opening in ('c1', 'c2', 'd840'):
        assert type(attempt(bytes.fromhex(opening) * 1_000_000)) is ValueError


def resident():
    with open('/proc/self/statm') as file:
        return int(file.read().split()[1]) * os.sysconf('SC_PAGE_SIZE')


@test('hostile: huge counts allocate nothing')
def _():
    before = resident()
    for head in '5b 7b 9b bb d901029b d8405b c25b c35b a19b a1d901029b'.split():
        for count in ('ffffffffffffffff', '8000000000000000', '7fffffffffffffff', '1000000000000000', '0000000100000000'):
            error = attempt(bytes.fromhex(head + count) + bytes(100))
            assert type(error) is ValueError and 'ends too early' in str(error), error
    # Many nested arrays that each claim all that follows.
    claims = (b'\x9a' + (900_000).to_bytes(4)) * 60 + bytes(1_000_000)
    assert type(attempt(claims)) is OverflowError
    assert resident() - before < 32 << 20, resident() - before


@test('hostile: budgets end before the work is done')
def _():
    def cost(body):
        started = time.process_time()
        body()
        return time.process_time() - started

    # As many as the budget has room for, and fifty times as many: of the processor's time the latter take nowhere near
    # fifty times as much. That the bytes are handed over at all is most of it.
    allowed = cost(lambda: decode(array_of(999_999)))
    data = array_of(50_000_000)
    for message, budgets in (('.*more than 1000000 values', {}), ('.*limit is 1000 bytes', {'bytes': 1000})):
        refused = cost(lambda: refuses(OverflowError, message, decode, data, **budgets))
        assert refused < 25 * allowed, (message, refused, allowed)


def array_of(count):
    return b'\x9a' + count.to_bytes(4) + bytes(count)


def mutate(rng, data):
    data = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data) + 1)
        match rng.randint(0, 5):
            case 0 if data:
                data[at % len(data)] ^= 1 << rng.randrange(8)
            case 1 if data:
                data[at % len(data)] = rng.getrandbits(8)
            case 2:
                data[at:at] = rng.randbytes(rng.randint(1, 9))
            case 3:
                del data[at:at + rng.randint(1, 9)]
            case 4:
                data[at:at] = rng.choice(INTERESTING)
            case 5:
                start = rng.randrange(len(data) + 1)
                data[at:at] = data[start:start + rng.randint(1, 30)]
    return bytes(data)


INTERESTING = [bytes.fromhex(h) for h in
               '81 a1 9f bf ff f6 1c c1 c2 c3 d90102 d840 d84f d856 5bffffffffffffffff 9b0000000100000000 f97e00 '
               'fb7ff0000000000000 60 40 d90102d90102 63eda080 a201000100 a1a0'.split()]


@test('hostile: mutated messages')
def _():
    rng = random.Random(support.seed)
    corpus = [bytes.fromhex(v['hex']) for f in ('values.json', 'rfc8949.json', 'malformed.json') for v in load(f)]
    corpus += [encode(value(rng, 3)) for _ in range(100)]
    corpus = [message for message in corpus if len(message) < 2000]
    kinds = dict.fromkeys((*EXPECTED, type(None)), 0)
    end = time.monotonic() + support.fuzz_seconds
    while time.monotonic() < end:
        for _ in range(500):
            mutant = mutate(rng, rng.choice(corpus))
            kinds[type(attempt(mutant))] += 1
            if len(mutant) < 2000 and rng.random() < 0.01:
                corpus[rng.randrange(len(corpus))] = mutant
    assert kinds[ValueError] and kinds[type(None)], kinds


@test('hostile: what decodes encodes to an equal value')
def _():
    rng = random.Random(support.seed + 1)
    seeds = [encode(value(rng, 3)) for _ in range(50)]
    end = time.monotonic() + support.fuzz_seconds / 3
    while time.monotonic() < end:
        mutant = mutate(rng, rng.choice(seeds))
        try:
            first = decode(mutant)
        except EXPECTED:
            continue
        try:
            again = encode(first)
        except ValueError as error:  # two NaNs as keys
            assert 'are the same to the host' in str(error), error
            continue
        assert encode(decode(again)) == again or b'\xd9\x01\x02' in again, mutant.hex()


@test('hostile: failures leave nothing behind')
def _():
    good = {'rows': [1, 'a', {(1, 2): {3}}, 2**100, b'x' * 100], 'big': {i: [i] for i in range(100)}}
    bad = {**good, 'last': object()}
    nan = {float('nan'): 1, float('nan'): 2}
    data = encode(good)
    cut = [data[:size] for size in range(0, len(data), 7)] + [data + b'\0']

    def work():
        for _ in range(100):
            for broken in cut:
                attempt(broken)
            for value in (bad, nan, {'k': '\ud800'}, [memoryview(b'ab')[::2]]):
                try:
                    encode(value)
                except (TypeError, ValueError):
                    pass
            decode(encode(good))

    work()
    counted = []
    for _ in range(4):
        work()
        gc.collect()
        counted.append(sys.getallocatedblocks())
    assert counted[-1] - counted[0] < 50, counted
