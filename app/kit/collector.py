"""The garbage collector, set for a process that keeps much and makes much: it must not walk the whole house all day."""

import gc

_YOUNG, _MIDDLE, _OLD = 20_000, 20, 50


def rest() -> None:
    """Called before the house is made: nearly all of that stays, and a search among it takes a quarter of the start."""
    gc.disable()


def settle() -> None:
    """Called once when everything long-lived is made: that is never looked at again, and the rest less often.

    Every batch makes thousands of short-lived values; at Python's own thresholds the search for cycles among
    them took close to a fifth of the event loop's time under load, in pauses that the slowest answers showed.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
    gc.enable()
