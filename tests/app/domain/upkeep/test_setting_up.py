"""The profile of settings: what is changed, what is left, and what a lost answer leads to."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.upkeep.setting_up import (
    MOST_TRIES,
    NAMED,
    PROFILE,
    Commissioning,
    Setting,
    SettingAnswer,
    SettingsTold,
    Tuned,
    TunedKey,
    can_be_triggered,
    connection_timeout,
    keys_per_request,
    plan,
    waits_for_reboot,
)

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NEW = Commissioning(made_for="V M 1", at=NOON)
ENERGY, POWER = "Energy.Active.Import.Register", "Power.Active.Import"


def told(*, readonly: bool = False, **values: str | None) -> SettingsTold:
    found = [Setting(key=key, value=value, readonly=readonly) for key, value in values.items()]
    return SettingsTold(answer=SettingAnswer.ACCEPTED, settings=tuple(found))


@pytest.mark.parametrize(
    ("key", "value", "offers"),
    [
        ("HeartbeatInterval", "60", ["300"]),
        ("MeterValueSampleInterval", "0", ["60"]),
        ("TransactionMessageAttempts", "3", ["20"]),
        ("WebSocketPingInterval", "0", ["60"]),
        ("WebSocketPingInterval", "-1", ["60"]),
        ("MeterValuesSampledData", "", [f"{ENERGY},{POWER},SoC", f"{ENERGY},{POWER}"]),
        ("MeterValuesSampledData", f"{POWER}, Voltage",
         [f"{POWER},Voltage,{ENERGY},SoC", f"{POWER},Voltage,{ENERGY}"]),
        ("MeterValuesSampledData", f"{ENERGY.lower()},{POWER}", [f"{ENERGY.lower()},{POWER},SoC"]),
    ],
)  # fmt: skip
def test_what_is_too_little_is_raised(key: str, value: str, offers: list[str]) -> None:
    _, (step,) = plan(told(**{key: value}), NEW, NOON)
    assert (step.key, step.before, list(step.offers)) == (key, value, offers)


@pytest.mark.parametrize(
    ("key", "value", "outcome"),
    [
        ("HeartbeatInterval", "300", Tuned.FITS),
        ("HeartbeatInterval", "86400", Tuned.FITS),
        ("MeterValueSampleInterval", "900", Tuned.FITS),
        ("MeterValueSampleInterval", "15", Tuned.FITS),
        ("TransactionMessageAttempts", "20.0", Tuned.FITS),
        ("WebSocketPingInterval", "5", Tuned.FITS),
        ("MeterValuesSampledData", f"SoC,{POWER},{ENERGY}", Tuned.FITS),
        ("HeartbeatInterval", "often", Tuned.UNREADABLE),
        ("HeartbeatInterval", "NaN", Tuned.UNREADABLE),
        ("HeartbeatInterval", None, Tuned.UNKNOWN),
    ],
)
def test_what_is_enough_or_cannot_be_read_is_left(key: str, value: str | None, outcome: Tuned) -> None:
    progress, steps = plan(told(**{key: value}), NEW, NOON)
    found = progress.key(key)
    assert found is not None
    assert (steps, found.outcome, found.wanted) == ([], outcome, None)


def test_nothing_told_is_nothing_changed() -> None:
    progress, steps = plan(told(), NEW, NOON)
    assert steps == []
    assert {each.outcome for each in progress.keys} == {Tuned.UNKNOWN}
    assert len(progress.keys) == len(PROFILE)


def test_read_only_settings_are_left_and_keys_count_without_case() -> None:
    progress, steps = plan(told(readonly=True, HeartbeatInterval="1"), NEW, NOON)
    assert steps == []
    assert progress.key("HeartbeatInterval") == TunedKey(
        key="HeartbeatInterval", before="1", outcome=Tuned.READONLY, at=NOON
    )
    _, (step,) = plan(told(heartbeatinterval="1"), NEW, NOON)
    assert step.key == "heartbeatinterval"


@pytest.mark.parametrize(
    ("outcome", "tries", "again"),
    [
        (Tuned.CHANGED, 1, False),
        (Tuned.REBOOT_REQUIRED, 1, False),
        (Tuned.REJECTED, 1, False),
        (Tuned.UNANSWERED, 1, True),
        (Tuned.UNANSWERED, MOST_TRIES, False),
        (Tuned.FITS, 0, True),
    ],
)
def test_only_a_change_without_an_answer_is_made_again(outcome: Tuned, tries: int, again: bool) -> None:
    done = TunedKey(key="HeartbeatInterval", outcome=outcome, tries=tries, at=NOON)
    _, steps = plan(told(HeartbeatInterval="60"), NEW.with_key(done), NOON)
    assert bool(steps) is again


def test_a_change_whose_answer_was_lost_and_that_was_made_counts_as_made() -> None:
    lost = TunedKey(key="HeartbeatInterval", before="60", outcome=Tuned.UNANSWERED, tries=1, at=NOON)
    progress, steps = plan(told(HeartbeatInterval="300"), NEW.with_key(lost), NOON)
    found = progress.key("HeartbeatInterval")
    assert found is not None
    assert (steps, found.outcome) == ([], Tuned.CHANGED)


@given(
    st.dictionaries(
        st.sampled_from([*PROFILE]), st.text(max_size=30) | st.integers(-(10**20), 10**20).map(str)
    )
)
def test_whatever_is_set_no_number_is_lowered_and_no_list_shortened(values: dict[str, str]) -> None:
    _, steps = plan(told(**values), NEW, NOON)
    for step in steps:
        for offer in step.offers:
            if step.key == "MeterValuesSampledData":
                before = {each.strip() for each in values[step.key].split(",") if each.strip()}
                assert before < set(offer.split(","))
            else:
                assert int(offer) > float(values[step.key])


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("90", 90), ("3600", 3600), ("3601", None), ("0", None), ("-5", None), ("soon", None), (None, None)],
)
def test_how_long_a_station_waits_for_a_plug(value: str | None, seconds: int | None) -> None:
    assert connection_timeout(told(ConnectionTimeOut=value)) == seconds
    assert connection_timeout(told()) is None


@pytest.mark.parametrize(
    ("value", "can"),
    [("Core, remotetrigger", True), ("Core,Reservation", False), ("", None), (None, None)],
)
def test_whether_a_station_can_be_triggered(value: str | None, can: bool | None) -> None:
    assert can_be_triggered(told(SupportedFeatureProfiles=value)) is can


@pytest.mark.parametrize(
    ("value", "number"), [("2", 2), ("1000", len(NAMED)), ("0", len(NAMED)), ("x", len(NAMED))]
)
def test_how_many_keys_may_be_named(value: str, number: int) -> None:
    assert keys_per_request(told(GetConfigurationMaxKeys=value)) == number


def test_what_waits_for_a_reboot() -> None:
    done = NEW.with_key(TunedKey(key="A", outcome=Tuned.REBOOT_REQUIRED, at=NOON)).with_key(
        TunedKey(key="B", outcome=Tuned.CHANGED, at=NOON)
    )
    assert waits_for_reboot(done, NOON - timedelta(hours=1)) == ["A"]
    assert waits_for_reboot(done, NOON + timedelta(seconds=1)) == []
