"""Encoding of containers: order, keys, cycles and budgets."""

import collections
import datetime

from _value import decode, encode

from support import check_same, refuses, test


def nested(levels):
    value = []
    for _ in range(levels - 1):
        value = [value]
    return value


@test('containers: dict subclasses, in order')
def _():
    ordered = collections.OrderedDict((str(i), i) for i in range(20))
    ordered.move_to_end('3', last=False)
    assert list(decode(encode(ordered))) == list(ordered)
    count = collections.Counter('abca')
    check_same(decode(encode(count)), {'a': 2, 'b': 1, 'c': 1})
    check_same(decode(encode(collections.defaultdict(list, a=[1]))), {'a': [1]})

    class Dict(dict):
        def nope(self, *args):
            raise AssertionError('an override was called')

        items = keys = __iter__ = __len__ = __getitem__ = nope

    class List(list):
        __iter__ = __len__ = __getitem__ = Dict.nope

    class Set(set):
        __iter__ = __len__ = Dict.nope

    class Tuple(tuple):
        __iter__ = __len__ = __getitem__ = Dict.nope

    check_same(decode(encode([Dict(a=1), List([2]), Set([3]), Tuple([4])])), [{'a': 1}, [2], {3}, [4]])
    many = {i: str(i) for i in range(1000)}
    check_same(decode(encode(many)), many)

    class Thing:
        def __init__(self):
            self.a, self.b = 1, [2]

    check_same(decode(encode(vars(Thing()))), {'a': 1, 'b': [2]})


@test('containers: keys that would be one key to the host')
def _():
    naive, aware = datetime.datetime(1970, 1, 1), datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    same = r'value at \$\[0\]: two of its {} are the same to the host'
    refuses(ValueError, same.format('keys'), encode, [{naive: 1, aware: 2}])
    refuses(ValueError, same.format('elements'), encode, [{naive, aware}])
    refuses(ValueError, same.format('keys'), encode, [{float('nan'): 1, float('nan'): 2}])

    class Odd(str):
        __hash__ = object.__hash__

        def __eq__(self, other):
            return self is other

    refuses(ValueError, same.format('keys'), encode, [{Odd('a'): 1, Odd('a'): 2}])
    check_same(decode(encode({1.5: 1, 2.5: 2, (1,): 3, 'a': 4})), {1.5: 1, 2.5: 2, (1,): 3, 'a': 4})


@test('containers: cycles')
def _():
    loop = []
    loop.append(loop)
    refuses(RecursionError, r'value at \$(\[0\]){24}…: the container holds itself', encode, loop)
    a, b = {}, []
    a['b'], b[:] = b, [a] * 100
    refuses(RecursionError, r".*: the container holds itself", encode, a)
    wide = []
    wide += [wide] * 1000
    refuses(OverflowError, '.*more than 50 values', encode, wide, items=50)


@test('containers: depth')
def _():
    for limit in (1, 2, 64, 200):
        encoded = encode(nested(limit), depth=limit)
        check_same(decode(encoded, depth=limit), nested(limit))
        refuses(RecursionError, f'.*nested deeper than {limit} levels', encode, nested(limit + 1), depth=limit)
        refuses(RecursionError, f'.*nested deeper than the limit of {limit} levels', decode, b'\x81' + encoded, depth=limit)
    encode(5, depth=0)
    refuses(RecursionError, '.*deeper than 0.*', encode, [], depth=0)
    refuses(RecursionError, '.*deeper than 1024.*', encode, nested(100_000), depth=2**31)
    check_same(len(encode(nested(1024), depth=2**31)), 1024)
    for make in (lambda v: {'k': v}, lambda v: (v,)):
        value = 1
        for _ in range(65):
            value = make(value)
        refuses(RecursionError, '.*deeper than 64 levels', encode, value)


@test('containers: items')
def _():
    # the list, three items, a dict of two keys and two values, a set and its element
    value = [1, {'a': 1, 'b': 2}, {3}]
    encoded = encode(value, items=9)
    check_same(decode(encoded, items=9), value)
    refuses(OverflowError, r'.*the whole holds more than 8 values', encode, value, items=8)
    refuses(OverflowError, r'.*the whole holds more than 8 values', decode, encoded, items=8)
    refuses(OverflowError, '.*more than 1000000 values', encode, [0] * 1_000_000)
    check_same(len(encode([0] * 999_999)), 5 + 999_999)
    shared = [0] * 1000
    refuses(OverflowError, '.*', encode, [[shared] * 1000] * 1000)
    refuses(OverflowError, '.*more than 0 values', encode, 1, items=0)


@test('containers: bytes')
def _():
    for value in ('a' * 100, b'a' * 100, bytearray(100), memoryview(bytes(100)), [0] * 100, 2**800, '水' * 34,
                  {str(i): None for i in range(20)}, {1: 'a' * 90}, 1.5, 2**40):
        size = len(encode(value))
        encode(value, bytes=size)
        for less in {1, 2, size // 2, size}:
            refuses(OverflowError, f'.*takes more than {size - less} bytes', encode, value, bytes=size - less)
    refuses(OverflowError, 'value of 6 bytes: the limit is 5 bytes', decode, b'\x85\1\1\1\1\1', bytes=5)
    refuses(OverflowError, r'value at \$: the whole takes more than 67108864 bytes', encode, bytes(64 << 20))
    check_same(len(encode(bytes((64 << 20) - 5))), 64 << 20)
