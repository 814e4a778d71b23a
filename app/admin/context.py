"""What the operator's rooms may reach, made once in the roof, and how a request finds it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from app.domain.parties import Party
from app.kit.clock import Clock
from app.services.commands import Commands
from app.services.intake.intake import Intake
from app.services.setting_up.inbox import Inbox
from app.services.setting_up.station_settings import StationSettings
from app.services.stations import Stations
from app.services.wishes import Wishes
from app.store.database.engine import Store
from ocpi.hub.hub import Hub
from ocpi.hub.reach import Reach
from ocpi.partners.desk import Desk
from ocpi.pull.authorization import PartnerIssuers


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminContext:
    """The tools of the admin API.

    `ocpp_url` is the address that stations are given, without a slash at the end. `token_ok` judges a bearer
    token in constant time. `wake` tells the outbox that there is something to deliver; `hang_up` closes the
    socket of a station, if it has one.
    """

    store: Store
    clock: Clock
    intake: Intake
    stations: Stations
    settings: StationSettings
    inbox: Inbox
    commands: Commands
    wishes: Wishes
    issuers: PartnerIssuers
    desk: Desk
    hub: Hub
    reach: Reach
    ours: Party
    ocpp_url: str
    token_ok: Callable[[str], bool]
    wake: Callable[[], None]
    hang_up: Callable[[str], None]


def context_of(request: Request) -> AdminContext:
    """The context that the API was made with."""
    context: AdminContext = request.app.state.context
    return context


Context = Annotated[AdminContext, Depends(context_of)]
