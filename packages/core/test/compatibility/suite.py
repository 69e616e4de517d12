# Runs one of CPython's own test files and says how each of its tests ended. The same in a plain interpreter
# (`suite.py NAME`, answers in JSON) and in a sandbox (`run_suite(name)`).
import unittest


class Results(unittest.TestResult):
    """How each test ended, by its id. A failed subtest is its test's failure."""

    def __init__(self):
        super().__init__()
        self.endings = {}
        self.reasons = {}

    def note(self, test, ending, error=None):
        name = test.id()
        if self.endings.get(name) in ("error", "fail"):
            return
        self.endings[name] = ending
        if error:
            self.reasons[name] = f"{error[0].__name__}: {error[1]}"[:300]

    def addSuccess(self, test):
        self.note(test, "ok")

    def addError(self, test, error):
        self.note(test, "error", error)

    def addFailure(self, test, error):
        self.note(test, "fail", error)

    def addSkip(self, test, reason):
        self.note(test, "skip")
        self.reasons[test.id()] = reason[:300]

    def addExpectedFailure(self, test, error):
        self.note(test, "ok")

    def addUnexpectedSuccess(self, test):
        self.note(test, "fail")

    def addSubTest(self, test, subtest, error):
        if error:
            self.note(test, "error", error)


def run_suite(name):
    from test import support

    # As CPython's own runner has it: nothing that is slow, large or reaches out.
    support.use_resources = []
    support.verbose = False
    results = Results()
    unittest.defaultTestLoader.loadTestsFromName(name).run(results)
    return {"endings": results.endings, "reasons": results.reasons}


if __name__ == "__main__" and "post" not in globals():
    import json
    import os
    import sys

    # What tests print is not the answer.
    answer = os.dup(1)
    os.dup2(2, 1)
    os.write(answer, json.dumps(run_suite(sys.argv[1])).encode())
