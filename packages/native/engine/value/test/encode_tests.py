"""Encoding of single values: subclasses, refusals, budgets."""

import collections
import datetime
import enum
import sys
import types
import zoneinfo
from array import array

from _value import decode, encode

from support import check_same, refuses, test


def never(self, *args):
    raise AssertionError('an override was called')


@test('encode: subclasses by the content of their base, past overrides')
def _():
    class Int(int):
        __int__ = __index__ = __hash__ = __eq__ = never

    class Str(str):
        __str__ = __iter__ = __len__ = encode = never

    class Bytes(bytes):
        __bytes__ = __iter__ = __len__ = __buffer__ = never

    class ByteArray(bytearray):
        __bytes__ = __iter__ = __len__ = __buffer__ = never

    class Float(float):
        __float__ = never

    class Array(array):
        __iter__ = __len__ = tobytes = __buffer__ = never

    class Date(datetime.datetime):
        timestamp = utcoffset = isoformat = never

    moment = Date(2020, 1, 1, tzinfo=datetime.UTC)
    values = [Int(5), Str('s'), Bytes(b'b'), ByteArray(b'c'), Float(1.5), Array('h', [1]), moment]
    plain = [5, 's', b'b', b'c', 1.5, array('h', [1]), datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)]
    check_same(decode(encode(values)), plain)


@test('encode: enums, named tuples and bools')
def _():
    class Colour(enum.IntEnum):
        red = 1

    class Name(enum.StrEnum):
        ada = 'ada'

    class Permission(enum.Flag):
        read = 1

    Point = collections.namedtuple('Point', 'x y')
    check_same(decode(encode([Colour.red, Name.ada, Point(1, 2), True, False])), [1, 'ada', [1, 2], True, False])
    refuses(TypeError, "value at \\$: a .*Permission object can't cross to the host", encode, Permission.read)


@test('encode: integers around every boundary')
def _():
    for bits in (0, 5, 8, 16, 30, 31, 32, 53, 60, 62, 63, 64, 65, 127, 128, 1024, 100_000):
        for off in range(-3, 4):
            for sign in (1, -1):
                number = sign * (2**bits + off)
                check_same(decode(encode(number)), number)


@test('encode: refusals name the kind and the path')
def _():
    cannot = "can't cross to the host"
    refuses(TypeError, f"value at \\$\\['rows'\\]\\[3\\]: a function {cannot}", encode, {'rows': [1, 2, 3, lambda: 0]})
    refuses(TypeError, f'value at \\$\\[1\\]: a function {cannot}', encode, (0, len))
    refuses(TypeError, f'value at \\$: a class {cannot}', encode, int)
    refuses(TypeError, f'value at \\$: a module {cannot}', encode, sys)
    refuses(TypeError, f'value at \\$: a method {cannot}', encode, never.__get__(1))
    refuses(TypeError, f'value at \\$: a generator {cannot}', encode, (x for x in ()))
    refuses(TypeError, f'value at \\$: a complex object {cannot}', encode, 1j)
    refuses(TypeError, f'value at \\$: a datetime.date object {cannot}', encode, datetime.date(2020, 1, 1))
    refuses(TypeError, f'value at \\$: a range object {cannot}', encode, range(3))
    refuses(TypeError, f'value at \\$: a object object {cannot}', encode, object())
    refuses(TypeError, f'value at \\$\\[1\\.5\\]\\[None\\]: a object object {cannot}', encode, {1.5: {None: object()}})
    refuses(TypeError, f'value at \\${{key <Path>}}: a .*Path object {cannot}', encode, {make_path()(): 1})
    refuses(TypeError, f'value at \\$\\[1\\]{{element}}: a object object {cannot}', encode, [0, {object()}])
    refuses(TypeError, f"value at \\$\\['a{{40}}'…\\]: a object object {cannot}", encode, {'a' * 50: object()})
    refuses(TypeError, f'value at \\$\\[<tuple>\\]: a object object {cannot}', encode, {(1, 2): object()})
    refuses(TypeError, r"value at \$\['\\n\\t'\]: .*", encode, {'\n\t': object()})


def make_path():
    return type('Path', (), {'__repr__': never, '__str__': never})


@test('encode: a type with a hostile name is still named')
def _():
    hostile = type('x' * 500, (), {'__module__': '%s%n'})
    refuses(TypeError, r'value at \$: a .*', encode, hostile())
    hostile = type('水' * 200, (), {})
    refuses(TypeError, r'value at \$: a .*', encode, hostile())


@test('encode: lone surrogates')
def _():
    error = r"value at \$\['k'\]: text with a lone surrogate \(U\+D800 at index 2\) can't cross to the host"
    refuses(ValueError, error, encode, {'k': 'ab\ud800'})
    refuses(ValueError, r'value at \$: .*U\+DFFF at index 0.*', encode, '\udfff\U00010000')
    refuses(ValueError, r"value at \$\{key '\\udc80'\}: .*U\+DC80.*", encode, {'\udc80': 1})
    check_same(decode(encode('\ud7ff\ue000')), '\ud7ff\ue000')


@test('encode: buffers that are not plain arrays')
def _():
    check_same(decode(encode(memoryview(array('i', [1, 2, 3]))[1:])), array('i', [2, 3]))
    check_same(decode(encode(memoryview(bytearray(b'abcd')).cast('I'))), array('I', [0x64636261]))
    refuses(TypeError, r'.*one-dimensional contiguous.* strided', encode, memoryview(b'abcd')[::2])
    refuses(TypeError, r'.*one-dimensional contiguous.*not 2-dimensional', encode, memoryview(b'abcd').cast('B', [2, 2]))
    refuses(TypeError, r'.*one-dimensional contiguous.*not 0-dimensional', encode, memoryview(b'abcd').cast('I', []))
    refuses(TypeError, r"value at \$\[0\]: memory of format 'c' can't cross.*", encode, [memoryview(b'ab').cast('c')])
    refuses(TypeError, r"value at \$: memory of format 'w' can't cross.*", encode, array('w', 'ab'))
    view = memoryview(b'ab')
    view.release()
    refuses(ValueError, r"value at \$\[0\]: a released memoryview can't cross.*", encode, [view])
    held = bytearray(b'ab')
    encode([held, memoryview(held)])
    held += b'c'  # nothing holds on to its memory


@test('encode: dates with zones, odd offsets and hostile zones')
def _():
    at = datetime.datetime
    offset = datetime.timezone(-datetime.timedelta(hours=3, seconds=1, microseconds=7))
    check_same(decode(encode(at(2020, 1, 1, tzinfo=offset))), at(2020, 1, 1, 3, 0, 1, 7, tzinfo=datetime.UTC))

    class Zone(datetime.tzinfo):
        def __init__(self, answer):
            self.answer = answer

        def utcoffset(self, moment):
            return self.answer() if callable(self.answer) else self.answer

    check_same(decode(encode(at(2020, 1, 1, tzinfo=Zone(None)))), at(2020, 1, 1, tzinfo=datetime.UTC))
    refuses(TypeError, 'tzinfo.utcoffset.. must return None or timedelta.*', encode, at(2020, 1, 1, tzinfo=Zone(5)))
    refuses(ZeroDivisionError, '.*', encode, at(2020, 1, 1, tzinfo=Zone(lambda: 1 / 0)))
    far = encode(at(9999, 12, 31, 23, tzinfo=datetime.timezone(-datetime.timedelta(hours=5))))
    refuses(ValueError, '.*years 1 to 9999', decode, far)
    if zoneinfo.available_timezones():
        summer = at(2024, 7, 1, 12, tzinfo=zoneinfo.ZoneInfo('Europe/Berlin'))
        check_same(decode(encode(summer)), at(2024, 7, 1, 10, tzinfo=datetime.UTC))


@test('encode: look-alikes of library types are refused')
def _():
    fake = type('datetime', (), {'__module__': 'datetime'})
    refuses(TypeError, r"value at \$: a datetime.datetime object can't.*", encode, fake())
    fake = type('array.array', (), {'__module__': 'array'})
    refuses(TypeError, r'value at \$: .*', encode, fake())
    refuses(TypeError, r'.*SimpleNamespace object.*', encode, types.SimpleNamespace())


@test('encode: no module is imported')
def _():
    import _interpreters

    interpreter = _interpreters.create('isolated')
    _interpreters.run_string(interpreter, '''if True:
        import sys, _value
        class Other: pass
        try: _value.encode(Other())
        except TypeError: pass
        else: raise AssertionError
        _value.decode(_value.encode([1, 'a', 1.5, {'k': {1}}, b'', memoryview(b'')][:-1]))
        assert not {'datetime', '_datetime', 'array'} & set(sys.modules), sys.modules.keys()
        ''')
    _interpreters.destroy(interpreter)
