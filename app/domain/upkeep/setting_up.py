"""Settings of a station: what it told, what we want them to be, and how far putting them right has come."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum

import msgspec

MOST_TRIES = 2
"""How often a setting is offered to a station that does not answer."""
MOST_READS = 3
"""How often a station that does not answer is asked for its settings, per firmware."""

CONNECTION_TIMEOUT = "ConnectionTimeOut"
FEATURES = "SupportedFeatureProfiles"
MOST_KEYS = "GetConfigurationMaxKeys"
_TRIGGERS = "RemoteTrigger"
_LONGEST_TIMEOUT = 3600


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One setting as the station tells it; `value` None: it did not say."""

    key: str
    value: str | None = None
    readonly: bool = False


class SettingAnswer(StrEnum):
    """What became of asking for settings, or of one change."""

    ACCEPTED = "accepted"
    REBOOT_REQUIRED = "reboot_required"
    REJECTED = "rejected"
    NOT_SUPPORTED = "not_supported"
    FAILED = "failed"
    UNANSWERED = "unanswered"
    NOT_SENT = "not_sent"


class SettingsTold(msgspec.Struct, frozen=True, kw_only=True):
    """A station's answer to being asked for its settings; `unknown` are keys it says it does not have."""

    answer: SettingAnswer
    settings: tuple[Setting, ...] = ()
    unknown: tuple[str, ...] = ()

    def find(self, key: str) -> Setting | None:
        """A setting by its name, compared without case."""
        return next((each for each in self.settings if each.key.lower() == key.lower()), None)


class Tuned(StrEnum):
    """How one key of the profile stands at a station."""

    FITS = "fits"
    CHANGED = "changed"
    REBOOT_REQUIRED = "reboot_required"
    REJECTED = "rejected"
    NOT_SUPPORTED = "not_supported"
    UNANSWERED = "unanswered"
    READONLY = "readonly"
    UNKNOWN = "unknown"
    UNREADABLE = "unreadable"


class TunedKey(msgspec.Struct, frozen=True, kw_only=True):
    """One key of the profile at one station: what was set before, what we asked for (None: nothing)."""

    key: str
    before: str | None = None
    wanted: str | None = None
    outcome: Tuned
    tries: int = 0
    at: datetime


class Stage(StrEnum):
    """How far commissioning has come."""

    UNDER_WAY = "under_way"
    DONE = "done"
    NOT_SUPPORTED = "not_supported"
    UNANSWERED = "unanswered"


class Commissioning(msgspec.Struct, frozen=True, kw_only=True):
    """What commissioning did at a station. `made_for` names vendor, model and firmware: another one begins anew."""

    made_for: str
    stage: Stage = Stage.UNDER_WAY
    tries: int = 0
    keys: tuple[TunedKey, ...] = ()
    at: datetime

    def key(self, name: str) -> TunedKey | None:
        """What became of one key."""
        return next((each for each in self.keys if each.key == name), None)

    def with_key(self, tuned: TunedKey) -> "Commissioning":
        """The same with the latest word about one key."""
        others = tuple(each for each in self.keys if each.key != tuned.key)
        return msgspec.structs.replace(self, keys=(*others, tuned), at=tuned.at)


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A change to be made: the values to offer, the next one only where the one before is rejected."""

    key: str
    before: str | None
    offers: tuple[str, ...]
    tries: int = 0


Offers = Callable[[str], Sequence[str] | None]
"""From what is set to what to offer instead: nothing where it fits; None where it cannot be read."""


def at_least(wanted: int) -> Offers:
    """A number that may be higher, but never lower: what is set is never taken back."""

    def offers(value: str) -> Sequence[str] | None:
        number = _number(value)
        return None if number is None else () if number >= wanted else (str(wanted),)

    return offers


def not_off(wanted: int) -> Offers:
    """Any number but zero."""

    def offers(value: str) -> Sequence[str] | None:
        number = _number(value)
        return None if number is None else () if number > 0 else (str(wanted),)

    return offers


def including(*wanted: str, if_possible: str) -> Offers:
    """A list with these in it; what is in it already stays. The last one is left out where it is rejected."""

    def offers(value: str) -> Sequence[str]:
        here = [each.strip() for each in value.split(",") if each.strip()]
        names = {each.lower() for each in here}
        missing = [each for each in wanted if each.lower() not in names]
        all_of_them = missing + [each for each in (if_possible,) if each.lower() not in names]
        if not missing:
            return () if not all_of_them else (",".join([*here, *all_of_them]),)
        found = [",".join([*here, *all_of_them]), ",".join([*here, *missing])]
        return list(dict.fromkeys(found))

    return offers


PROFILE: dict[str, Offers] = {
    "HeartbeatInterval": at_least(300),
    # A shorter one tells more than we want, a longer one was somebody's choice: both stay.
    "MeterValueSampleInterval": not_off(60),
    "MeterValuesSampledData": including(
        "Energy.Active.Import.Register", "Power.Active.Import", if_possible="SoC"
    ),
    "TransactionMessageAttempts": at_least(20),
    "WebSocketPingInterval": not_off(60),
}
"""What a station should be set to."""

NAMED = (*PROFILE, CONNECTION_TIMEOUT, FEATURES)
"""The keys that are asked for by name where a station does not tell them unasked."""


def plan(told: SettingsTold, before: Commissioning, now: datetime) -> tuple[Commissioning, list[Step]]:
    """What is to be changed, and the commissioning with the keys where nothing is.

    A key that was changed or refused before is not touched again; one without an answer is offered once more.
    """
    steps = []
    for key, rule in PROFILE.items():
        done = before.key(key)
        tries = done.tries if done is not None else 0
        if tries and (done is None or done.outcome is not Tuned.UNANSWERED or tries >= MOST_TRIES):
            continue
        setting = told.find(key)
        stands = _stands(setting, rule)
        if isinstance(stands, Tuned):
            value = setting.value if setting else None
            # A change whose answer was lost was made after all.
            outcome = Tuned.CHANGED if tries and stands is Tuned.FITS else stands
            before = before.with_key(TunedKey(key=key, before=value, outcome=outcome, tries=tries, at=now))
        else:
            assert setting is not None
            steps.append(Step(key=setting.key, before=setting.value, offers=tuple(stands), tries=tries))
    return before, steps


def connection_timeout(told: SettingsTold) -> int | None:
    """How long (s) the station waits for a plug after an authorization; None where it does not say sensibly."""
    setting = told.find(CONNECTION_TIMEOUT)
    number = _number(setting.value) if setting is not None and setting.value else None
    return int(number) if number is not None and 0 < number <= _LONGEST_TIMEOUT else None


def can_be_triggered(told: SettingsTold) -> bool | None:
    """Whether the station sends messages on demand (OCPP 1.6, RemoteTrigger); None where it does not say."""
    setting = told.find(FEATURES)
    if setting is None or not setting.value:
        return None
    return _TRIGGERS.lower() in {each.strip().lower() for each in setting.value.split(",")}


def keys_per_request(told: SettingsTold) -> int:
    """How many keys the station lets us name in one request."""
    setting = told.find(MOST_KEYS)
    number = _number(setting.value) if setting is not None and setting.value else None
    return int(number) if number is not None and 1 <= number < len(NAMED) else len(NAMED)


def waits_for_reboot(commissioning: Commissioning, booted_at: datetime | None) -> list[str]:
    """The changed keys that count only from the next boot on."""
    return [
        each.key
        for each in commissioning.keys
        if each.outcome is Tuned.REBOOT_REQUIRED and (booted_at is None or booted_at <= each.at)
    ]


def _stands(setting: Setting | None, rule: Offers) -> Tuned | Sequence[str]:
    if setting is None or setting.value is None:
        return Tuned.UNKNOWN
    offers = rule(setting.value)
    if offers is None:
        return Tuned.UNREADABLE
    if not offers:
        return Tuned.FITS
    return Tuned.READONLY if setting.readonly else offers


def _number(value: str) -> Decimal | None:
    try:
        number = Decimal(value.strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
