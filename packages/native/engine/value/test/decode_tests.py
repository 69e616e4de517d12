"""Decoding: what Python can't hold, and the reader and writer that know no Python."""

from array import array

from _value import decode, encode, read_command, writer_sample

from support import check_same, refuses, test


@test('decode: keys and elements become hashable')
def _():
    got = decode(bytes.fromhex('a1 82 01 82 02 80 81 80'))
    check_same(got, {(1, (2, ())): [[]]})
    refuses(TypeError, "value at byte 2: Python can't use a dict as a key.*", decode, bytes.fromhex('a1a000'))
    refuses(TypeError, "value at byte 3: Python can't use a dict as a key.*", decode, bytes.fromhex('a181a000'))
    refuses(TypeError, "value at byte 5: Python can't use a dict .* in a set", decode, bytes.fromhex('d9010281a0'))
    refuses(TypeError, "value at byte 3: Python can't use an array as a key.*", decode, bytes.fromhex('a1d8404000'))


@test('decode: keys that are equal only in Python')
def _():
    refuses(ValueError, '.*equals an earlier one', decode, bytes.fromhex('a2 01f6 f5f6'))
    refuses(ValueError, '.*equals an earlier one', decode, bytes.fromhex('d9010282 00 f4'))
    refuses(ValueError, '.*equals an earlier one', decode, bytes.fromhex('a2 01f6 f93c00f6'))


@test('decode: fresh objects, of exact types')
def _():
    data = encode([[], {}, set(), array('i', [1])])
    first, second = decode(data), decode(data)
    for a, b in zip(first, second):
        assert a is not b and type(a) is type(b)
    first[3].append(2)
    assert list(second[3]) == [1]


@test('writer: every call')
def _():
    check_same(decode(writer_sample()), [None, True, False, -1, -2**63, 2**63 - 1, 2**64 - 1, -0.5, 'ü', b'\x00\xff',
                                         {'k': set()}])


@test('reader: a map of known shape')
def _():
    command = {'more': [1, {'a': (2, 1.5)}, {3}, 2**70], 'filename': '<x>', 'code': 'print(1)\n'}
    assert read_command(encode(command)) == ('print(1)\n', '<x>')
    for value, why in (([], 'a map was expected'), ({1: 2}, 'text was expected'), ({'code': 1}, 'text was expected')):
        refuses(ValueError, f'byte [0-9]+: {why}', read_command, encode(value))
    data = encode(command)
    for size in range(len(data)):
        refuses(ValueError, 'byte [0-9]+: it ends too early', read_command, data[:size])
    deep = []
    for _ in range(62):
        deep = [deep]
    assert read_command(encode({'deep': deep})) == ('', '')
    refuses(ValueError, '.*nested too deep', read_command, encode({'deep': [[deep]]}, depth=100))
