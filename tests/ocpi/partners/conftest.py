"""A clock for limits."""

import pytest

from ocpi.partners import limits, unknown_callers


class Watch:
    """It stands still until it is moved."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    watch = Watch()
    for module in (limits, unknown_callers):
        monkeypatch.setattr(module, "time", watch)
    return watch
