"""Runs the codec's tests in pyisolate-value-test, one JSON line for each on stdout.

usage: pyisolate-value-test [--home PREFIX] run.py VECTORS_DIRECTORY [FUZZ_SECONDS [SEED [NAME_PART]]]
"""

import json
import os
import sys
import time
import traceback

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, here)

import support

support.vectors_directory = sys.argv[1]
support.fuzz_seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 3.0
support.seed = int(sys.argv[3]) if len(sys.argv) > 3 else 8949
wanted = sys.argv[4] if len(sys.argv) > 4 else ''

for module in ('encode', 'containers', 'decode', 'vectors', 'roundtrip', 'hostile', 'concurrency'):
    __import__(f'{module}_tests')

count = 0
for name, body in support.tests:
    if wanted not in name:
        continue
    count += 1
    # Said before it runs, so that a crash is put down to the right test.
    print(json.dumps({'start': name}), flush=True)
    started = time.perf_counter()
    outcome = {'name': name, 'ok': True}
    try:
        body()
    except BaseException:
        outcome |= {'ok': False, 'detail': traceback.format_exc()}
    outcome['ms'] = round((time.perf_counter() - started) * 1000, 1)
    print(json.dumps(outcome), flush=True)
print(json.dumps({'done': count}), flush=True)
