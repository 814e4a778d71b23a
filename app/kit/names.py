"""New names for things of the house: unique everywhere, not to be guessed, and younger ones sort after older ones."""

import secrets
import time

_RANDOM_BITS = 74
_LOW_BITS = 62
_VERSION_7, _VARIANT = 0x7 << 76, 0b10 << 62


def new_name() -> str:
    """A UUID of version 7 (RFC 9562, 5.7): 48 bits of milliseconds, then chance.

    Rows with such keys are written side by side; with keys of pure chance every row touches a page of its own.
    """
    milliseconds = time.time_ns() // 1_000_000
    chance = secrets.randbits(_RANDOM_BITS)
    high, low = chance >> _LOW_BITS, chance & ((1 << _LOW_BITS) - 1)
    text = f"{milliseconds << 80 | _VERSION_7 | high << 64 | _VARIANT | low:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
