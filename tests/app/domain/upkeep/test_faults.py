"""Faults with their beginning and end, from a station's own words."""

from datetime import UTC, datetime, timedelta

from app.domain.upkeep.faults import Said, faults

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def said(minute, status, error="NoError", connector=1, **more):
    at = START + timedelta(minutes=minute)
    return Said(at=at, connector=connector, status=status, error_code=error, **more)


def test_a_fault_lasts_until_the_station_says_something_better():
    found = faults(
        [said(0, "Available"), said(1, "Faulted", "GroundFailure", info="L1"), said(5, "Available")]
    )
    (one,) = found
    assert (one.error_code, one.info, one.connector) == ("GroundFailure", "L1", 1)
    assert (one.since, one.until) == (START + timedelta(minutes=1), START + timedelta(minutes=5))


def test_the_same_word_again_is_the_same_fault_another_code_another():
    found = faults(
        [
            said(0, "Faulted", "GroundFailure"),
            said(1, "Faulted", "GroundFailure"),
            said(2, "Faulted", "HighTemperature"),
        ]
    )
    assert [(each.error_code, each.until) for each in found] == [
        ("HighTemperature", None),
        ("GroundFailure", START + timedelta(minutes=2)),
    ]


def test_connectors_have_their_own_and_an_error_counts_while_charging_too():
    found = faults(
        [said(0, "Charging", "WeakSignal", connector=1), said(1, "Faulted", "OtherError", connector=2)]
    )
    assert [(each.connector, each.status, each.until) for each in found] == [
        (2, "Faulted", None),
        (1, "Charging", None),
    ]


def test_no_words_no_faults():
    assert faults([]) == []
    assert faults([said(0, "Available"), said(1, "Charging")]) == []
