"""How often somebody without a valid token may knock."""

from typing import Any

import pytest

from ocpi.errors import TooManyRequestsError
from ocpi.partners.unknown_callers import MOST_REMEMBERED, RATE, RATE_OF_ALL, SAVED, UnknownCallers, whose


def heard(callers: UnknownCallers, address: str, times: int) -> int:
    """How many of so many requests, one after the other, are heard."""
    found = 0
    for _ in range(times):
        try:
            callers.one(address)
            found += 1
        except TooManyRequestsError:
            continue
    return found


def test_each_address_has_its_own_measure_and_gets_it_back_with_time(watch: Any) -> None:
    callers = UnknownCallers()
    assert heard(callers, "192.0.2.1", 1000) == SAVED
    assert heard(callers, "192.0.2.2", 50) == 50
    watch.now += 2
    assert heard(callers, "192.0.2.1", 1000) == 2 * RATE


def test_all_of_them_together_have_a_measure_too_and_few_are_remembered(watch: Any) -> None:
    callers = UnknownCallers()
    many = [f"198.{n >> 16}.{n >> 8 & 255}.{n & 255}" for n in range(MOST_REMEMBERED + 500)]
    assert sum(heard(callers, each, 1) for each in many) == RATE_OF_ALL
    assert len(callers) == MOST_REMEMBERED


@pytest.mark.parametrize(
    ("address", "owner"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("/run/proxy.sock", "/run/proxy.sock"),
    ],
)
def test_addresses_of_one_owner_are_one(address: str, owner: str) -> None:
    assert whose(address) == owner
