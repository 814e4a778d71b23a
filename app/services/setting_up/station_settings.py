"""StationSettings: asks a station for its settings and changes them, by ordinary calls, and keeps what it told."""

from collections.abc import Sequence
from typing import Any

import msgspec

from app.domain.commands import Outcome, OutcomeKind
from app.domain.errors import Conflict, DomainError, Invalid, NotFound
from app.domain.ports import SettingsDialect
from app.domain.stations import Learned
from app.domain.upkeep.setting_up import (
    Setting,
    SettingAnswer,
    SettingsTold,
    can_be_triggered,
    connection_timeout,
    keys_per_request,
)
from app.kit import logs
from app.kit.clock import Clock
from app.kit.redaction import MASK, is_secret
from app.services.commands import Commands
from app.services.intake.intake import Intake, Unanswered
from app.store import station_settings as rows
from app.store.database.engine import Store
from app.store.database.errors import StoreError
from app.store.station_settings import StoredSettings

SECONDS = 30.0
PASSWORD_KEY = "AuthorizationKey"  # noqa: S105  # the name of a setting
LONGEST_KEY, LONGEST_VALUE = 50, 500
"""Characters that OCPP 1.6 allows."""

_MOST_REQUESTS = 8

_log = logs.get("services.station_settings")


class StationSettings:
    """What a station is set to; every change and every answer is a call with a row of its own."""

    def __init__(
        self, store: Store, clock: Clock, commands: Commands, dialect: SettingsDialect, intake: Intake
    ) -> None:
        self._store = store
        self._clock = clock
        self._commands = commands
        self._dialect = dialect
        self._intake = intake

    async def kept(self, station_id: str) -> StoredSettings | None:
        """What the station told when it was last asked."""
        async with self._store.reading() as session:
            return await rows.get(session, station_id)

    async def read(
        self, station_id: str, *, named: Sequence[str] = (), origin: str = "admin"
    ) -> SettingsTold:
        """All settings of a station, `named` ones asked for by name if it leaves them out; they are kept.

        Raises StoreError.
        """
        told = await self._ask(station_id, (), origin)
        if told.answer is SettingAnswer.FAILED and named:
            # Some cannot tell all at once, but each.
            told = await self._ask(station_id, named, origin)
        elif told.answer is SettingAnswer.ACCEPTED:
            told = await self._complete(station_id, told, named, origin)
        if told.answer is SettingAnswer.ACCEPTED:
            told = msgspec.structs.replace(told, settings=tuple(_shown(each) for each in told.settings))
            kept = StoredSettings(settings=told.settings, unknown=told.unknown, read_at=self._clock.now())
            async with self._store.unit_of_work(self._clock) as unit:
                await rows.save(unit.session, station_id, kept)
            await self.learn(
                station_id,
                Learned(connection_timeout=connection_timeout(told), triggers=can_be_triggered(told)),
            )
        return told

    async def change(self, station_id: str, key: str, value: str, *, origin: str = "admin") -> SettingAnswer:
        """One setting, changed once. What the station agreed to is kept. Raises StoreError."""
        action, payload = self._dialect.change(key, value)
        answer = self._dialect.changed(await self._call(station_id, action, payload, origin))
        if answer in (SettingAnswer.ACCEPTED, SettingAnswer.REBOOT_REQUIRED):
            await self._keep(station_id, _shown(Setting(key=key, value=value)))
        return answer

    async def ask_status(self, station_id: str, *, seconds: float, origin: str) -> SettingAnswer:
        """Have the station report the status of its connectors. Raises StoreError."""
        action, payload = self._dialect.ask_status()
        return self._dialect.triggered(await self._call(station_id, action, payload, origin, seconds=seconds))

    async def learn(self, station_id: str, news: Learned) -> None:
        """Note what was found out about a station; nothing where nothing was."""
        if news == Learned():
            return
        try:
            await self._intake.report(station_id, news)
        except (NotFound, Unanswered) as error:
            _log.warning("a station is gone", station=station_id, reason=str(error))

    async def _complete(
        self, station_id: str, told: SettingsTold, named: Sequence[str], origin: str
    ) -> SettingsTold:
        missing = [key for key in named if told.find(key) is None]
        size = keys_per_request(told)
        for at in range(0, min(len(missing), size * _MOST_REQUESTS), size):
            more = await self._ask(station_id, missing[at : at + size], origin)
            if more.answer is not SettingAnswer.ACCEPTED:
                break
            told = SettingsTold(
                answer=told.answer,
                # Some tell all again, whatever they are asked for.
                settings=(*told.settings, *(each for each in more.settings if told.find(each.key) is None)),
                unknown=tuple(dict.fromkeys((*told.unknown, *more.unknown))),
            )
        return told

    async def _ask(self, station_id: str, keys: Sequence[str], origin: str) -> SettingsTold:
        action, payload = self._dialect.ask(keys)
        return self._dialect.told(await self._call(station_id, action, payload, origin))

    async def _call(
        self, station_id: str, action: str, payload: dict[str, Any], origin: str, seconds: float = SECONDS
    ) -> Outcome:
        try:
            sent = await self._commands.submit(station_id, action, payload, seconds=seconds, origin=origin)
        except Conflict as error:
            _log.info("a call was not made", station=station_id, action=action, reason=str(error))
            return Outcome(kind=OutcomeKind.NOT_CONNECTED)
        except DomainError as error:
            # Its version has no such call, or no room for such a value.
            _log.info("a call cannot be made", station=station_id, action=action, reason=str(error))
            return Outcome(kind=OutcomeKind.ERROR, response={"code": "NotSupported"})
        return await sent.outcome

    async def _keep(self, station_id: str, changed: Setting) -> None:
        try:
            async with self._store.unit_of_work(self._clock) as unit:
                kept = await rows.get(unit.session, station_id) or StoredSettings(read_at=unit.now())
                others = [each for each in kept.settings if each.key.lower() != changed.key.lower()]
                settings = tuple(sorted([*others, changed], key=lambda each: each.key))
                await rows.save(unit.session, station_id, msgspec.structs.replace(kept, settings=settings))
        except StoreError as error:
            _log.warning("a changed setting was not noted", station=station_id, reason=str(error))


def check_change(key: str, value: str) -> None:
    """Raise Invalid for a change that cannot be, or that would lock the station out."""
    if not key or len(key) > LONGEST_KEY:
        raise Invalid(f"a key has 1 to {LONGEST_KEY} characters", field=key or "body")
    if len(value) > LONGEST_VALUE:
        raise Invalid(f"at most {LONGEST_VALUE} characters", field=key)
    if key.lower() == PASSWORD_KEY.lower():
        raise Invalid("the password is given by adoption: accept the station with adopt_minutes", field=key)


def check_answer(station_id: str, told: SettingsTold) -> None:
    """Raise Conflict where a station did not tell its settings."""
    if told.answer is SettingAnswer.NOT_SENT:
        raise Conflict(f"station {station_id} is not connected")
    if told.answer is not SettingAnswer.ACCEPTED:
        reason = str(told.answer).replace("_", " ")
        raise Conflict(f"station {station_id} does not tell its settings: {reason}")


def _shown(setting: Setting) -> Setting:
    """The setting without what nobody may read; a truth value is no secret, whatever its key."""
    if setting.value in (None, "") or str(setting.value).lower() in ("true", "false"):
        return setting
    return msgspec.structs.replace(setting, value=MASK) if is_secret(setting.key) else setting
