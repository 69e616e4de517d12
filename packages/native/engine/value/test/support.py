"""What the test files share: the list of tests, and assertions."""

import json
import math
import os
import re

tests = []
vectors_directory = fuzz_seconds = seed = None


def test(name):
    def add(body):
        if any(name == other for other, _ in tests):
            raise AssertionError(f'two tests are called {name!r}')
        tests.append((name, body))
        return body

    return add


def refuses(kind, pattern, call, *args, **kwargs):
    """`call` must raise exactly `kind`, its message matching `pattern` as a whole."""
    try:
        got = call(*args, **kwargs)
    except Exception as error:
        if type(error) is not kind or not re.fullmatch(pattern, str(error), re.DOTALL):
            raise AssertionError(f'expected {kind.__name__} {pattern!r}') from error
        return error
    raise AssertionError(f'expected {kind.__name__} {pattern!r}, got {got!r:.200}')


def same(a, b):
    """Equal, of the same types all the way down; NaN equals NaN, and -0.0 isn't 0.0."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return math.isnan(a) and math.isnan(b) or a == b and math.copysign(1, a) == math.copysign(1, b)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a.items(), b.items()))
    if hasattr(a, 'typecode'):
        return a.typecode == b.typecode and a.tobytes() == b.tobytes()
    if hasattr(a, 'utcoffset'):
        return a == b and a.utcoffset() == b.utcoffset()
    return a == b


def check_same(a, b):
    if not same(a, b):
        raise AssertionError(f'{a!r:.300} is not {b!r:.300}')


def load(name):
    with open(os.path.join(vectors_directory, name), encoding='utf-8') as file:
        return json.load(file)


def evaluate(expression):
    import array
    import datetime

    nan, inf = math.nan, math.inf
    return eval(expression, {'array': array.array, 'datetime': datetime.datetime, 'utc': datetime.UTC,
                             'timezone': datetime.timezone, 'timedelta': datetime.timedelta,
                             'memoryview': memoryview, 'nan': nan, 'inf': inf})
