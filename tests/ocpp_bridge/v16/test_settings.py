"""Settings in OCPP 1.6: what stations really answer, and what is made of it."""

from typing import Any

import pytest

from app.domain.commands import Outcome, OutcomeKind
from app.domain.upkeep.setting_up import Setting, SettingAnswer
from ocpp_bridge.v16.schemas import check_outgoing
from ocpp_bridge.v16.settings import Settings16

DIALECT = Settings16()


def result(response: Any) -> Outcome:
    return Outcome(kind=OutcomeKind.RESULT, response=response)


def error(code: str) -> Outcome:
    return Outcome(kind=OutcomeKind.ERROR, response={"code": code, "description": "", "details": {}})


@pytest.mark.parametrize(
    ("action", "payload"),
    [DIALECT.ask(), DIALECT.ask(("A", "B")), DIALECT.change("A", "1"), DIALECT.ask_status()],
)
def test_our_calls_keep_the_schema(action: str, payload: dict[str, Any]) -> None:
    check_outgoing(action, payload)


def test_what_a_station_tells() -> None:
    told = DIALECT.told(
        result(
            {
                "configurationKey": [
                    {"key": "A", "readonly": True, "value": "x"},
                    {"key": "B", "readonly": False},
                    {"key": "C", "readonly": "true", "value": 30},
                    {"key": "D", "value": True},
                    {"key": "", "readonly": False, "value": "no name"},
                    {"key": "x" * 51, "readonly": False, "value": "too long"},
                    {"key": "N\0", "readonly": False, "value": "nul"},
                    {"key": "E", "readonly": False, "value": "a\0" + "b" * 5000},
                    {"readonly": False},
                    "F=1",
                ],
                "unknownKey": ["G", 5],
            }
        )
    )
    assert told.answer is SettingAnswer.ACCEPTED
    assert told.settings[:4] == (
        Setting(key="A", value="x", readonly=True),
        Setting(key="B"),
        Setting(key="C", value="30"),
        Setting(key="D", value="true"),
    )
    last = told.settings[4]
    assert (last.key, len(last.value or ""), "\0" in (last.value or "")) == ("E", 4000, False)
    assert len(told.settings) == 5
    assert told.unknown == ("G",)


@pytest.mark.parametrize("response", [None, [], {}, {"configurationKey": None, "unknownKey": {}}])
def test_an_answer_without_sense_tells_nothing(response: Any) -> None:
    told = DIALECT.told(result(response))
    assert (told.answer, told.settings, told.unknown) == (SettingAnswer.ACCEPTED, (), ())


@pytest.mark.parametrize(
    ("outcome", "answer"),
    [
        (error("NotImplemented"), SettingAnswer.NOT_SUPPORTED),
        (error("NotSupported"), SettingAnswer.NOT_SUPPORTED),
        (error("InternalError"), SettingAnswer.FAILED),
        (Outcome(kind=OutcomeKind.TIMEOUT), SettingAnswer.UNANSWERED),
        (Outcome(kind=OutcomeKind.NOT_CONNECTED), SettingAnswer.NOT_SENT),
    ],
)
def test_no_result(outcome: Outcome, answer: SettingAnswer) -> None:
    assert DIALECT.told(outcome).answer is answer
    assert DIALECT.changed(outcome) is answer
    assert DIALECT.triggered(outcome) is answer


@pytest.mark.parametrize(
    ("status", "changed", "triggered"),
    [
        ("Accepted", SettingAnswer.ACCEPTED, SettingAnswer.ACCEPTED),
        ("Rejected", SettingAnswer.REJECTED, SettingAnswer.REJECTED),
        ("RebootRequired", SettingAnswer.REBOOT_REQUIRED, SettingAnswer.FAILED),
        ("NotSupported", SettingAnswer.NOT_SUPPORTED, SettingAnswer.FAILED),
        ("NotImplemented", SettingAnswer.FAILED, SettingAnswer.NOT_SUPPORTED),
        (None, SettingAnswer.FAILED, SettingAnswer.FAILED),
    ],
)
def test_statuses(status: str | None, changed: SettingAnswer, triggered: SettingAnswer) -> None:
    answer = result({} if status is None else {"status": status})
    assert DIALECT.changed(answer) is changed
    assert DIALECT.triggered(answer) is triggered
