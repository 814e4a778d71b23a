"""Commands of a simulated eMSP: sent to the CPO, and their results as they come in."""

import itertools
from dataclasses import dataclass
from typing import Any

from ocpi.client import Answer, PartnerClient
from ocpi.envelope import ABSENT
from ocpi.errors import MissingEndpointsError
from ocpi.headers import Routing
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.simulator.registration import Registration
from ocpi.wire.base import WireModel, render
from ocpi.wire.commands import (
    CancelReservation,
    CommandResponse,
    CommandResult,
    CommandType,
    ReserveNow,
    StartSession,
    StopSession,
    UnlockConnector,
)

_MODELS: dict[CommandType, type[WireModel]] = {
    CommandType.CANCEL_RESERVATION: CancelReservation,
    CommandType.RESERVE_NOW: ReserveNow,
    CommandType.START_SESSION: StartSession,
    CommandType.STOP_SESSION: StopSession,
    CommandType.UNLOCK_CONNECTOR: UnlockConnector,
}


@dataclass(frozen=True, slots=True)
class Commanded:
    """A command that was sent, under the name that its results come back with, and the answer at once."""

    uid: str
    answer: Answer

    @property
    def response(self) -> CommandResponse | None:
        """The CommandResponse, refusals included; None where the answer holds none."""
        return None if self.answer.data is ABSENT else CommandResponse.read(self.answer.data)


class Commander:
    """Sends commands; `results` holds what came back, by the name of the command, in order.

    `reservations`: those that the driver's app was granted, oldest first.
    """

    def __init__(self, client: PartnerClient, registration: Registration) -> None:
        self.results: dict[str, list[CommandResult]] = {}
        self.reservations: list[str] = []
        self._client = client
        self._registration = registration
        self._numbers = itertools.count(1)

    async def send(self, type_: CommandType, results_url: str, routing: Routing, **fields: Any) -> Commanded:
        """POST a command; `results_url` is where results are taken, without the command's own name."""
        url = self._registration.url_of(ModuleId.COMMANDS, InterfaceRole.RECEIVER)
        if url is None:
            raise MissingEndpointsError("the partner takes no commands")
        uid = f"c{next(self._numbers)}"
        body = _MODELS[type_](**({"response_url": f"{results_url}/{type_}/{uid}"} | fields))
        answer = await self._client.send(
            "POST",
            f"{url.rstrip('/')}/{type_}",
            self._registration.peer(),
            body=render(body),
            routing=routing,
        )
        return Commanded(uid, answer)

    def take(self, uid: str, result: CommandResult) -> None:
        """A result came."""
        self.results.setdefault(uid, []).append(result)
