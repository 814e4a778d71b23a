"""What every room of the bridge may reach."""

import asyncio
from dataclasses import dataclass, field

from app.kit.clock import Clock
from app.services.intake.intake import Intake
from app.services.setting_up.inbox import Inbox
from app.services.stations import Stations
from ocpp_bridge.live import LiveStations

MOST_LARGE_FRAMES = 8
"""Large frames that are worked on at the same time, over all stations: the budget of the process."""


@dataclass(frozen=True, slots=True)
class BridgeContext:
    """Made once in the roof and handed down."""

    intake: Intake
    stations: Stations
    live: LiveStations
    clock: Clock
    inbox: Inbox
    large_frames: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MOST_LARGE_FRAMES))
