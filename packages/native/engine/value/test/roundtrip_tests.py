"""Random nested values survive a round trip."""

import datetime
import random
import struct
from array import array

from _value import decode, encode, skim

import support
from support import check_same, test

ALPHABETS = ('abc \n"\\', 'äöüß\x00\x7f\x80', '水\ufeff\ud7ff\ue000', '𐅑😀\U0010ffff')


def text(rng):
    return ''.join(rng.choices(rng.choice(ALPHABETS), k=int(rng.expovariate(0.1))))


def number(rng):
    return rng.choice((1, -1)) * rng.getrandbits(rng.choice((0, 4, 5, 8, 16, 32, 53, 62, 63, 64, 65, 200))) + rng.choice((0, 0, 1, -1))


def real(rng):
    return rng.choice((rng.random(), rng.gauss(0, 1e6), float(rng.randint(-3, 3)), float('inf'), float('nan'), -0.0,
                       struct.unpack('d', rng.randbytes(8))[0]))


def moment(rng):
    # Microseconds are exact in a double for some centuries around now.
    return datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(
        microseconds=rng.choice((1, 1000, 1_000_000)) * rng.randint(-2_000_000_000, 2_000_000_000))


def typed(rng):
    code = rng.choice('bBhHiIqQfd')
    result = array(code)
    result.frombytes(rng.randbytes(result.itemsize * rng.randint(0, 40)))
    return result


ATOMS = (text, number, real, moment, lambda rng: rng.randbytes(rng.randint(0, 300)),
         lambda rng: rng.choice((None, True, False)))


def key(rng, depth):
    if depth > 0 and rng.random() < 0.1:
        return tuple(key(rng, depth - 1) for _ in range(rng.randint(0, 3)))
    if depth > 0 and rng.random() < 0.05:
        return frozenset(key(rng, depth - 1) for _ in range(rng.randint(0, 3)))
    while True:
        atom = rng.choice(ATOMS)(rng)
        if atom == atom:  # NaN keys may be refused
            return atom


def value(rng, depth):
    if depth == 0 or rng.random() < 0.3:
        return rng.choice((*ATOMS, typed))(rng)
    size = rng.choice((0, 1, 2, 3, 8, 9, 30)) if depth > 2 else rng.randint(0, 4)
    match rng.randint(0, 3):
        case 0:
            return [value(rng, depth - 1) for _ in range(size)]
        case 1:
            return {text(rng): value(rng, depth - 1) for _ in range(size)}
        case 2:
            return {key(rng, 2): value(rng, depth - 1) for _ in range(size)}
        case _:
            return {key(rng, 2) for _ in range(size)}


@test('round trip: random values')
def _():
    rng = random.Random(support.seed)
    for _ in range(3000):
        original = value(rng, rng.randint(0, 5))
        data = encode(original)
        check_same(decode(data), original)
        assert skim(data) is None


@test('round trip: microseconds of every century')
def _():
    rng = random.Random(support.seed)
    first = datetime.datetime(1, 1, 1, tzinfo=datetime.UTC)
    span = (datetime.datetime.max.replace(tzinfo=datetime.UTC) - first) // datetime.timedelta(milliseconds=1)
    for _ in range(3000):
        original = first + datetime.timedelta(milliseconds=rng.randint(0, span))
        check_same(decode(encode(original)), original)
        fine = datetime.datetime(1900, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(microseconds=rng.randint(0, 10**16))
        check_same(decode(encode(fine)), fine)
