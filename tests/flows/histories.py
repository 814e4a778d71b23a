"""Stations that keep a queue and a ledger of their own, and a checker that decides from histories alone."""

import asyncio
import itertools
import json
import random
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import websockets

from tests.flows.house import House
from tests.flows.partner import Partner
from tests.flows.site import Site
from tests.flows.station import ago, socket_of, stamp

ANSWER_SECONDS = 8.0


@dataclass
class Sold:
    """One transaction as the station knows it; `stopped` once its stop was acknowledged."""

    tag: str
    began: datetime
    wh: int
    numbers: set[int] = field(default_factory=set)
    stopped: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """By what a partner can tell it from all others."""
        return self.tag, stamp(self.began)


class Double:
    """A station that sells one charge after the other and sends each message until it is acknowledged.

    By chance it repeats what was acknowledged, hangs up before or after an answer, and uses the same or another
    message id for a repetition.
    """

    def __init__(self, house: House, site: Site, seed: int) -> None:
        self.site = site
        self.sold: list[Sold] = []
        self.messages = 0
        self.closing = False
        self._house = house
        self._dice = random.Random(seed)
        self._ids = itertools.count(1)
        self._socket: Any = None
        self._clock = ago(hours=30)

    async def run(self) -> None:
        """Sell until `closing`; what was begun is brought to its end."""
        try:
            while not self.closing:
                await self._sell()
        finally:
            await self._hang_up()

    async def _sell(self) -> None:
        sale = Sold(self.site.tag, self._clock, self._dice.randint(1, 30_000))
        self.sold.append(sale)
        meter = 1_000_000 * len(self.sold)
        begin = {"connectorId": 1, "idTag": sale.tag, "meterStart": meter, "timestamp": stamp(sale.began)}
        number = (await self._tell("StartTransaction", begin, sale))["transactionId"]
        for part in (1, 2):
            value = {"value": str(meter + sale.wh * part // 3), "unit": "Wh"}
            at = stamp(sale.began + timedelta(minutes=20 * part))
            values = [{"timestamp": at, "sampledValue": [value]}]
            await self._tell("MeterValues", {"connectorId": 1, "transactionId": number, "meterValue": values})
        ended = stamp(sale.began + timedelta(hours=1))
        stop = {"transactionId": number, "meterStop": meter + sale.wh, "timestamp": ended, "idTag": sale.tag}
        await self._tell("StopTransaction", stop)
        sale.stopped = True
        self._clock += timedelta(minutes=61)

    async def _tell(self, action: str, payload: dict[str, Any], sale: Sold | None = None) -> dict[str, Any]:
        """Until it is acknowledged; then by chance once more."""
        message_id = f"{self.site.station}-{next(self._ids)}"
        once_more = self._dice.random() < 0.15
        while True:
            answer = await self._attempt(message_id, action, payload)
            if answer is None:
                if self._dice.random() < 0.5:
                    message_id = f"{self.site.station}-{next(self._ids)}"
                continue
            if sale is not None:
                sale.numbers.add(answer["transactionId"])
            if not once_more:
                return answer
            once_more = False

    async def _attempt(self, message_id: str, action: str, payload: dict[str, Any]) -> dict[str, Any] | None:
        try:
            socket = await self._connected()
            await socket.send(json.dumps([2, message_id, action, payload]))
            self.messages += 1
            if self._dice.random() < 0.04:
                await self._hang_up()
                return None
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = json.loads(await socket.recv())
        except (OSError, websockets.WebSocketException, TimeoutError):
            await self._hang_up()
            await asyncio.sleep(0.1)
            return None
        assert answer[0] == 3, f"{action} was refused: {answer}"
        assert answer[1] == message_id, answer
        return dict(answer[2])

    async def _connected(self) -> Any:
        if self._socket is None:
            self._open = socket_of(self._house, self.site.station, open_timeout=5)
            self._socket = await self._open.__aenter__()
        return self._socket

    async def _hang_up(self) -> None:
        if self._socket is not None:
            self._socket = None
            with suppress(OSError, websockets.WebSocketException, TimeoutError):
                await self._open.__aexit__(None, None, None)


def check_starts(doubles: list[Double]) -> None:
    """One start has one number, over repetitions, sockets and restarts; two starts have two."""
    for double in doubles:
        assert all(len(sale.numbers) <= 1 for sale in double.sold), double.sold
        given = [number for sale in double.sold for number in sale.numbers]
        assert len(given) == len(set(given)), double.sold


def check_records(doubles: list[Double], partner: Partner) -> None:
    """Each acknowledged stop is one CDR with the energy as sent; no CDR without a transaction; none ever changes."""
    sold = {sale.key: sale for double in doubles for sale in double.sold}
    tags = {double.site.tag for double in doubles}
    posted: dict[str, Any] = {}
    # A message without a body broke off when its sender was killed.
    for message in (each for each in partner.messages("cdrs") if each.body is not None):
        if message.body["cdr_token"]["uid"] in tags:
            first = posted.setdefault(message.body["id"], message.body)
            assert message.body == first, "a CDR has changed"
    billed: dict[tuple[str, str], Any] = {}
    for body in posted.values():
        key = (body["cdr_token"]["uid"], body["start_date_time"])
        assert key in sold, f"a CDR without a transaction: {body}"
        assert key not in billed, f"two CDRs of one transaction: {body}"
        billed[key] = body
        assert body["total_energy"] * 1000 == sold[key].wh, body
        assert body["id"] in partner.ledger.cdrs
    missing = [key for key, sale in sold.items() if sale.stopped and key not in billed]
    assert missing == [], f"{len(missing)} acknowledged stops without a CDR"


def check_sessions(doubles: list[Double], partner: Partner) -> None:
    """The energy of a session never falls, COMPLETED is final, `last_updated` never goes back."""
    tags = {double.site.tag for double in doubles}
    told: dict[str, list[Any]] = {}
    for message in (each for each in partner.messages("sessions") if each.body is not None):
        told.setdefault(message.path.rsplit("/", 1)[1], []).append(message.body)
    for session_id, bodies in told.items():
        if not any(body.get("cdr_token", {}).get("uid") in tags for body in bodies):
            continue
        for name in ("kwh", "last_updated"):
            values = [body[name] for body in bodies if name in body]
            assert values == sorted(values), (session_id, name, values)
        states = [body["status"] for body in bodies if "status" in body]
        assert "COMPLETED" not in states[: -states.count("COMPLETED")], (session_id, states)
        assert states[-1] == "COMPLETED", (session_id, states)
