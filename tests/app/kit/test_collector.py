"""What was made before the process settled is not looked at again; rubbish made later still is found."""

import subprocess
import sys

_PROGRAM = """
import gc, weakref
from app.kit import collector

class Thing: pass

def cycle():
    one, other = Thing(), Thing()
    one.other, other.other = other, one
    return weakref.ref(one)

kept = [Thing() for _ in range(1000)]
collector.settle()
assert gc.get_freeze_count() > 1000
ref = cycle()
rubbish = [[n] for n in range(30_000)]
assert ref() is None, "cycles are still found without being asked for"
"""


def test_long_lived_things_are_left_alone_and_cycles_still_found() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
