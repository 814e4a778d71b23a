"""After a reconnect: stations that say nothing of their connectors are asked, where they can be."""

from collections.abc import Sequence
from datetime import datetime

from app.domain.charging.state import StationState
from app.domain.events import Event, StationConnected
from app.domain.stations import Admission, Learned
from app.domain.upkeep.setting_up import SettingAnswer
from app.kit.clock import Clock
from app.services.intake.intake import Intake
from app.services.setting_up.pacing import Paced
from app.services.setting_up.station_settings import StationSettings

DELAY_SECONDS = 4.0
"""How long a station has to report by itself."""
PER_SECOND = 10.0
AT_ONCE = 40
ANSWER_SECONDS = 10.0
ORIGIN = "reconnect"


class FreshStatus:
    """Listens for stations that come back, and asks those whose status is older than their connection."""

    def __init__(self, clock: Clock, intake: Intake, settings: StationSettings) -> None:
        self._intake = intake
        self._settings = settings
        self._since: dict[str, datetime] = {}
        self.queue = Paced(
            "fresh status", clock, self._see_to, delay=DELAY_SECONDS, per_second=PER_SECOND, at_once=AT_ONCE
        )

    def heard(self, events: Sequence[Event]) -> None:
        """After a commit: stations that have connected are queued."""
        for event in events:
            if isinstance(event, StationConnected):
                self._since[event.station_id] = event.at
                self.queue.ask(event.station_id)

    async def _see_to(self, station_id: str) -> None:
        since, state = self._since.get(station_id), self._intake.state(station_id)
        if since is not None and state is not None and self._intake.connected(station_id):
            await self._ask(station_id, state, since)
        if self._since.get(station_id) is since:
            self._since.pop(station_id, None)

    async def _ask(self, station_id: str, state: StationState, since: datetime) -> None:
        if not to_be_asked(state, since):
            return
        answer = await self._settings.ask_status(station_id, seconds=ANSWER_SECONDS, origin=ORIGIN)
        if state.station.triggers is None and answer in (
            SettingAnswer.ACCEPTED,
            SettingAnswer.NOT_SUPPORTED,
        ):
            await self._settings.learn(station_id, Learned(triggers=answer is SettingAnswer.ACCEPTED))


def to_be_asked(state: StationState, since: datetime) -> bool:
    """Whether a station that connected at `since` has left open how its connectors stand.

    One that booted since then reports unasked; one that knows no triggers is not asked again.
    """
    station = state.station
    if station.state is not Admission.ACCEPTED or station.triggers is False:
        return False
    if station.booted_at is None or station.booted_at >= since:
        return False
    reported = [state.connectors.get((link.evse, link.connector)) for link in station.connectors]
    return any(report is None or report.received_at < since for report in reported)
