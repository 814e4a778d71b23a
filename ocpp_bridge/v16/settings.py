"""Settings in the words of OCPP 1.6: GetConfiguration, ChangeConfiguration, and asking for a status report."""

from collections.abc import Sequence
from typing import Any

from app.domain.commands import Outcome, OutcomeKind
from app.domain.upkeep.setting_up import Setting, SettingAnswer, SettingsTold

MOST_SETTINGS = 2000
"""Settings that are kept of one station."""
_LONGEST_KEY, _LONGEST_VALUE = 50, 4000

_CHANGED = {
    "Accepted": SettingAnswer.ACCEPTED,
    "RebootRequired": SettingAnswer.REBOOT_REQUIRED,
    "Rejected": SettingAnswer.REJECTED,
    "NotSupported": SettingAnswer.NOT_SUPPORTED,
}
_TRIGGERED = {
    "Accepted": SettingAnswer.ACCEPTED,
    "Rejected": SettingAnswer.REJECTED,
    "NotImplemented": SettingAnswer.NOT_SUPPORTED,
}
_NOT_KNOWN = frozenset({"NotSupported", "NotImplemented"})


class Settings16:
    """Implements app.domain.ports.SettingsDialect."""

    def ask(self, keys: Sequence[str] = ()) -> tuple[str, dict[str, Any]]:
        """GetConfiguration (OCPP 1.6, 5.8) of these keys, or of all there are."""
        return "GetConfiguration", {"key": list(keys)} if keys else {}

    def told(self, outcome: Outcome) -> SettingsTold:
        """The answer to it; entries that make no sense are passed over."""
        if outcome.kind is not OutcomeKind.RESULT:
            return SettingsTold(answer=_without_result(outcome))
        answer = outcome.response if isinstance(outcome.response, dict) else {}
        entries = answer.get("configurationKey")
        found = [_setting(each) for each in entries[:MOST_SETTINGS]] if isinstance(entries, list) else []
        unknown = answer.get("unknownKey")
        names = [each for each in unknown if isinstance(each, str)] if isinstance(unknown, list) else []
        return SettingsTold(
            answer=SettingAnswer.ACCEPTED,
            settings=tuple(each for each in found if each is not None),
            unknown=tuple(names[:MOST_SETTINGS]),
        )

    def change(self, key: str, value: str) -> tuple[str, dict[str, Any]]:
        """ChangeConfiguration (OCPP 1.6, 5.3)."""
        return "ChangeConfiguration", {"key": key, "value": value}

    def changed(self, outcome: Outcome) -> SettingAnswer:
        """The answer to it."""
        return _status(outcome, _CHANGED)

    def ask_status(self) -> tuple[str, dict[str, Any]]:
        """TriggerMessage (OCPP 1.6, 5.17) for the status of every connector."""
        return "TriggerMessage", {"requestedMessage": "StatusNotification"}

    def triggered(self, outcome: Outcome) -> SettingAnswer:
        """The answer to it."""
        return _status(outcome, _TRIGGERED)


def _status(outcome: Outcome, words: dict[str, SettingAnswer]) -> SettingAnswer:
    if outcome.kind is not OutcomeKind.RESULT:
        return _without_result(outcome)
    answer = outcome.response if isinstance(outcome.response, dict) else {}
    return words.get(str(answer.get("status")), SettingAnswer.FAILED)


def _without_result(outcome: Outcome) -> SettingAnswer:
    if outcome.kind is OutcomeKind.NOT_CONNECTED:
        return SettingAnswer.NOT_SENT
    if outcome.kind is OutcomeKind.TIMEOUT:
        return SettingAnswer.UNANSWERED
    error = outcome.response if isinstance(outcome.response, dict) else {}
    return SettingAnswer.NOT_SUPPORTED if error.get("code") in _NOT_KNOWN else SettingAnswer.FAILED


def _setting(entry: Any) -> Setting | None:
    if not isinstance(entry, dict) or not isinstance(key := entry.get("key"), str):
        return None
    if not key or len(key) > _LONGEST_KEY or "\0" in key:
        return None
    value = entry.get("value")
    text = None if value is None else _text(value)
    return Setting(key=key, value=text, readonly=entry.get("readonly") is True)


def _text(value: Any) -> str:
    """A value as text: some stations send numbers and truth values as such."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)[:_LONGEST_VALUE].replace("\0", "\ufffd")
