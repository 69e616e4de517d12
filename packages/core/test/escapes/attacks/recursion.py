# Recursion in Python, with CPython's own count out of the way.
def attack(arena):
    import sys

    sys.setrecursionlimit(2**31 - 1)

    class Deep:
        def __repr__(self):
            return repr(self)

        def __eq__(self, other):
            return self == other

    nested = []
    for _ in range(10**5):
        nested = [nested]
    return repr(nested) + repr(Deep()) + str(Deep() == 1)
