"""Adopting a station: while it is let in without a password, it is given one and told to boot again."""

import contextlib
import uuid
from typing import Any

from app.domain.commands import Outcome, OutcomeKind
from app.domain.errors import Conflict, DomainError
from app.kit import logs
from app.store.database.errors import StoreError
from ocpp_bridge.context import BridgeContext
from ocpp_bridge.gateway import LocalGateway

ANSWER_SECONDS = 30.0
_TAKEN = ("Accepted", "RebootRequired")

_log = logs.get("ocpp.adoption")


async def offer_password(context: BridgeContext, station_id: str) -> bool:
    """Gives a connected station a password by ChangeConfiguration(AuthorizationKey); whether it took it.

    The password is valid before it is sent and the window stays open until the station has it: whatever fails
    in between, either the password or the window lets the station in again.
    """
    try:
        password = await context.stations.offer_password(station_id)
        outcome = await _call(
            context, station_id, "ChangeConfiguration", {"key": "AuthorizationKey", "value": password}
        )
        taken = _accepted(outcome)
        if outcome.kind in (OutcomeKind.RESULT, OutcomeKind.ERROR):
            await context.stations.settle_adoption(station_id, taken=taken)
    except (StoreError, DomainError) as error:
        _log.error("a station was not adopted", station=station_id, reason=str(error))
        return False
    _log.info("a station was offered a password", station=station_id, taken=taken)
    return taken


async def boot_again(context: BridgeContext, station_id: str) -> None:
    """Asks a station that was told to wait for a new BootNotification."""
    with contextlib.suppress(Conflict):
        await _call(context, station_id, "TriggerMessage", {"requestedMessage": "BootNotification"})


async def _call(context: BridgeContext, station_id: str, action: str, payload: dict[str, Any]) -> Outcome:
    return await LocalGateway(context.live).call(
        station_id, action, payload, message_id=str(uuid.uuid4()), timeout=ANSWER_SECONDS
    )


def _accepted(outcome: Outcome) -> bool:
    response = outcome.response
    return (
        outcome.kind is OutcomeKind.RESULT and isinstance(response, dict) and response.get("status") in _TAKEN
    )
