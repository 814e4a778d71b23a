"""Commissioning: a station that boots for the first time, or with another firmware, is set as our profile says.

Once, one call at a time, through the ordinary path of calls. Every step is kept before the next one: after a lost
connection or a restart the rest is done when the station is back.
"""

from collections.abc import Sequence

import msgspec

from app.domain.events import Event, StationChanged
from app.domain.stations import Admission, BootReport, ChargingStation, Learned
from app.domain.upkeep.setting_up import (
    MOST_READS,
    MOST_TRIES,
    NAMED,
    Commissioning,
    SettingAnswer,
    Stage,
    Step,
    Tuned,
    TunedKey,
    plan,
)
from app.kit import logs
from app.kit.clock import Clock
from app.services.intake.intake import Intake
from app.services.setting_up.pacing import Paced
from app.services.setting_up.station_settings import StationSettings
from app.store import stations
from app.store.database.engine import Store

DELAY_SECONDS = 2.0
"""How long after a boot the work begins: the station has its own things to say first."""
AGAIN_SECONDS = 30.0
"""How long a station that is still there waits for the rest of it."""
PER_SECOND = 5.0
AT_ONCE = 10
ORIGIN = "commissioning"

_OUTCOMES = {
    SettingAnswer.ACCEPTED: Tuned.CHANGED,
    SettingAnswer.REBOOT_REQUIRED: Tuned.REBOOT_REQUIRED,
    SettingAnswer.REJECTED: Tuned.REJECTED,
    SettingAnswer.FAILED: Tuned.REJECTED,
    SettingAnswer.NOT_SUPPORTED: Tuned.NOT_SUPPORTED,
    SettingAnswer.UNANSWERED: Tuned.UNANSWERED,
}

_log = logs.get("services.commissioning")


class Commissioner:
    """Listens for stations that have booted and sees to them in turn."""

    def __init__(self, store: Store, clock: Clock, intake: Intake, settings: StationSettings) -> None:
        self._store = store
        self._clock = clock
        self._intake = intake
        self._settings = settings
        self.queue = Paced(
            "commissioning", clock, self._see_to, delay=DELAY_SECONDS, per_second=PER_SECOND, at_once=AT_ONCE
        )

    def heard(self, events: Sequence[Event]) -> None:
        """After a commit: stations that may need it are queued."""
        for event in events:
            if isinstance(event, StationChanged) and not self.queue.busy(event.station_id):
                state = self._intake.state(event.station_id)
                if state is not None and needed(state.station) and self._intake.connected(event.station_id):
                    self.queue.ask(event.station_id)

    async def _see_to(self, station_id: str) -> None:
        async with self._store.reading() as session:
            stored = await stations.get(session, station_id)
        if stored is None or not needed(stored.station) or stored.station.boot is None:
            return
        if stored.adopt_until is not None and stored.adopt_until > self._clock.now():
            return  # first its password; the boot after that leads here again
        before = stored.station.commissioning
        name = identity(stored.station.boot)
        if before is None or before.made_for != name:
            before = Commissioning(made_for=name, at=self._clock.now())
        after = await self._commission(station_id, before)
        if after.stage is Stage.UNDER_WAY:
            if self._intake.connected(station_id):
                self.queue.ask(station_id, delay=AGAIN_SECONDS)
            return
        changed = [each.key for each in after.keys if each.outcome is Tuned.CHANGED]
        _log.info("a station was commissioned", station=station_id, stage=str(after.stage), changed=changed)

    async def _commission(self, station_id: str, before: Commissioning) -> Commissioning:
        told = await self._settings.read(station_id, named=NAMED, origin=ORIGIN)
        if told.answer is SettingAnswer.NOT_SENT:
            return before
        if told.answer is SettingAnswer.UNANSWERED:
            tries = before.tries + 1
            stage = Stage.UNANSWERED if tries >= MOST_READS else Stage.UNDER_WAY
            return await self._note(station_id, before, tries=tries, stage=stage)
        if told.answer is not SettingAnswer.ACCEPTED:
            return await self._note(station_id, before, stage=Stage.NOT_SUPPORTED)
        progress, steps = plan(told, before, self._clock.now())
        for step in steps:
            tuned = await self._take(station_id, step)
            if tuned is None:
                return await self._note(station_id, progress)
            progress = await self._note(station_id, progress.with_key(tuned))
        left = any(each.outcome is Tuned.UNANSWERED and each.tries < MOST_TRIES for each in progress.keys)
        return await self._note(station_id, progress, stage=Stage.UNDER_WAY if left else Stage.DONE)

    async def _take(self, station_id: str, step: Step) -> TunedKey | None:
        """One step; None: nothing was sent."""
        answer, wanted = SettingAnswer.NOT_SENT, ""
        for wanted in step.offers:
            answer = await self._settings.change(station_id, step.key, wanted, origin=ORIGIN)
            if answer not in (SettingAnswer.REJECTED, SettingAnswer.FAILED):
                break
        if answer is SettingAnswer.NOT_SENT:
            return None
        return TunedKey(
            key=step.key,
            before=step.before,
            wanted=wanted,
            outcome=_OUTCOMES[answer],
            tries=step.tries + 1,
            at=self._clock.now(),
        )

    async def _note(
        self,
        station_id: str,
        progress: Commissioning,
        *,
        stage: Stage = Stage.UNDER_WAY,
        tries: int | None = None,
    ) -> Commissioning:
        progress = msgspec.structs.replace(
            progress, stage=stage, tries=progress.tries if tries is None else tries, at=self._clock.now()
        )
        await self._settings.learn(station_id, Learned(commissioning=progress))
        return progress


def needed(station: ChargingStation) -> bool:
    """Whether there is anything left to do at a station: it has booted, was let in, and is not set up yet."""
    if station.state is not Admission.ACCEPTED or station.boot is None:
        return False
    done = station.commissioning
    return done is None or done.stage is Stage.UNDER_WAY or done.made_for != identity(station.boot)


def identity(boot: BootReport) -> str:
    """What another commissioning is for: vendor, model and firmware."""
    return f"{boot.vendor} {boot.model} {boot.firmware_version or ''}".strip()
