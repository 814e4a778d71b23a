"""When to try again: full jitter between one second and one hour, a partner's own wish up to an hour."""

import random
from datetime import timedelta

FIRST = 1.0
LONGEST = 3600.0
GIVE_UP_AFTER = timedelta(days=7)
"""A delivery that keeps failing for so long is dead: an operator sees it and may try again."""
LOCKED_OUT_LIMIT = 3
"""After so many refusals of our token in a row a partner is paused: hammering would not help."""


def delay(failures: int, retry_after: float | None = None) -> timedelta:
    """How long to wait after this many failures in a row (at least 1), at most an hour.

    A partner that says how long is taken at its word.
    """
    if retry_after is not None:
        return timedelta(seconds=min(max(retry_after, FIRST), LONGEST))
    ceiling = min(LONGEST, FIRST * 2 ** min(max(failures, 1), 20))
    return timedelta(seconds=random.uniform(FIRST / 2, ceiling))  # noqa: S311 - spreads load, keeps no secret
