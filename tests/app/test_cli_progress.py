"""What an operator is told while a station comes in, one line per step."""

from typing import Any

import pytest

from app.cli import progress
from app.cli.failures import Failure
from app.cli.progress import Progress, watch

BEFORE: dict[str, Any] = {
    "id": "CS1", "online": False, "ocpp_version": None, "boot": None, "booted_at": None, "has_password": False,
    "adopt_until": None, "commissioning": None, "refused": None, "connectors": [],
}  # fmt: skip
REFUSED = {
    "times": 1, "reason": "wrong password", "address": "10.0.0.7", "credentials": "password", "subprotocols": ["ocpp1.6"],
}  # fmt: skip
BOOT = {"vendor": "V", "model": "M", "firmware_version": None}
DONE: dict[str, Any] = {
    "stage": "done",
    "keys": [
        {"key": "A", "before": "1", "wanted": "2", "outcome": "changed"},
        {"key": "B", "before": "1", "wanted": "2", "outcome": "reboot_required"},
        {"key": "C", "before": "1", "wanted": "2", "outcome": "rejected"},
        {"key": "D", "before": "1", "wanted": None, "outcome": "fits"},
    ],
    "waits_for_reboot": ["B"],
}
STATUS = {"evse": 1, "connector": 1, "status": "Available", "received_at": "t2"}


def test_each_step_is_told_once() -> None:
    seen = Progress(BEFORE, adopting=True)
    assert seen.news(BEFORE) == []
    now = BEFORE | {"refused": REFUSED}
    assert seen.news(now) == ["refused: wrong password (from 10.0.0.7, credentials: password, ocpp1.6)"]
    assert seen.news(now) == []
    assert seen.news(now | {"refused": REFUSED | {"times": 3, "subprotocols": []}}) == [
        "refused: wrong password (from 10.0.0.7, credentials: password, no subprotocol)"
    ]
    now |= {"online": True, "ocpp_version": "1.6", "adopt_until": "later"}
    assert seen.news(now) == ["connected, OCPP 1.6"]
    assert seen.missing == ["booted", "password set", "set up", "first status"]
    now |= {"boot": BOOT, "booted_at": "t1", "has_password": True}
    assert seen.news(now) == ["booted: V M"]
    now |= {"adopt_until": None, "commissioning": DONE | {"stage": "under_way"}}
    assert seen.news(now) == ["password set; it is needed from now on"]
    now |= {"commissioning": DONE, "connectors": [STATUS]}
    assert seen.news(now) == [
        "set up: A 1 -> 2; B 1 -> 2; counts from the next boot on: B",
        "status: connector 1 Available",
    ]
    assert seen.missing == []


@pytest.mark.parametrize(
    ("stage", "line"),
    [
        ("not_supported", "left as it is: it does not tell its settings"),
        ("unanswered", "left as it is: it does not answer when asked for its settings"),
    ],
)
def test_stations_that_cannot_be_set_up(stage: str, line: str) -> None:
    now = BEFORE | {"boot": BOOT, "booted_at": "t1", "commissioning": DONE | {"stage": stage, "keys": []}}
    seen = Progress(BEFORE, adopting=False)
    assert seen.news(now) == ["booted: V M"]
    assert seen.news(now) == [line]


def test_an_old_status_is_no_news() -> None:
    before = BEFORE | {"connectors": [STATUS, STATUS | {"evse": 2, "status": None, "received_at": None}]}
    seen = Progress(before, adopting=False)
    assert seen.news(before) == []
    again = before | {"connectors": [STATUS | {"received_at": "t3", "status": "Charging"}]}
    assert seen.news(again) == ["status: connector 1 Charging"]


def test_watching_ends_when_the_time_is_over_or_only_the_settings_are_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(progress, "PATIENCE_SECONDS", 0.01)
    now = BEFORE | {"online": True, "ocpp_version": "1.6"}
    monkeypatch.setattr(progress, "look", lambda _station_id: now)
    with pytest.raises(Failure, match="missing: booted, set up, first status"):
        watch(BEFORE, adopting=False, minutes=0.0005)
    now |= {"boot": BOOT, "booted_at": "t1", "connectors": [STATUS]}
    watch(BEFORE, adopting=False, minutes=1)
    assert capsys.readouterr().out.endswith("CS1 is ready; its settings are as they were\n")
