"""Published vectors, and those shared with the TypeScript codec."""

from _value import decode, encode, skim

from support import check_same, evaluate, load, refuses, test


def check(vector):
    data = bytes.fromhex(vector['hex'])
    if 'refused' in vector:
        refuses(ValueError, f'value at byte [0-9]+: .*{vector["refused"]}.*', decode, data)
        return
    value = evaluate(vector['python'])
    if not vector.get('decodeOnly'):
        got = encode(value)
        assert got == data, f'encoded as {got.hex()}'
    if not vector.get('encodeOnly'):
        check_same(decode(data), value)
    assert skim(data) is None, skim(data)


def define(file, title):
    def add(vector):
        test(f'{title}: {vector["name"]}')(lambda: check(vector))

    for vector in load(file):
        add(vector)


define('rfc8949.json', 'RFC 8949 appendix A')
define('values.json', 'shared vector')
define('malformed.json', 'refused')
