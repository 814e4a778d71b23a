"""What the node that holds a station keeps of it in memory, and what one message changes."""

from collections.abc import Callable
from datetime import datetime

import msgspec

from app.domain.audiences import PriceMaps
from app.domain.authorization import Alias, Asked, Grant
from app.domain.cdrs import CdrState, ChargeDetailRecord, HoldReason
from app.domain.charging.availability import Turn
from app.domain.charging.registers import Register
from app.domain.events import Event
from app.domain.locations import Location, Place
from app.domain.metering import MeterSample, Reading
from app.domain.pricing import RunningCost
from app.domain.sessions import ChargingSession, Snapshot
from app.domain.stations import ChargingStation, ConnectorReport, Notice
from app.domain.status import EvseStatus
from app.domain.tariffs import Tariff
from app.domain.tokens import Token
from app.domain.transactions import Transaction

_REMEMBERED = 32


class Running:
    """A transaction under way with what its samples have told so far."""

    __slots__ = ("cost", "register", "session", "snapshot", "transaction")

    def __init__(
        self, transaction: Transaction, register: Register, snapshot: Snapshot, session: ChargingSession
    ) -> None:
        self.transaction = transaction
        self.register = register
        self.snapshot = snapshot
        self.session = session
        self.cost: RunningCost | None = None
        """What it costs so far; made when first asked for, from the register, after a restart too."""


class StationState:
    """All that decisions about one station need, apart from what a batch looks up (`Known`).

    `running` is by the station's own transaction number. `ended` holds the last few that ended or were
    looked up, so that repetitions get their first answer. `shown` is what we last said of each EVSE.
    """

    __slots__ = ("connectors", "ended", "lost_at", "running", "shown", "station")

    def __init__(
        self,
        station: ChargingStation,
        connectors: list[ConnectorReport],
        running: list[Running],
        shown: dict[str, EvseStatus],
    ) -> None:
        self.station = station
        self.connectors = {(c.evse, c.connector): c for c in connectors}
        self.running = {r.transaction.ocpp_id: r for r in running}
        self.ended: dict[int, Running] = {}
        self.shown = shown
        self.lost_at: datetime | None = None

    def at_connector(self, evse: int, connector: int) -> Running | None:
        """The transaction under way at a connector."""
        return next(
            (
                r
                for r in self.running.values()
                if (r.transaction.evse, r.transaction.connector) == (evse, connector)
            ),
            None,
        )

    def finished(self, running: Running) -> None:
        """Move a transaction from under way to remembered."""
        self.running.pop(running.transaction.ocpp_id, None)
        self.remember(running)

    def remember(self, running: Running) -> None:
        """Keep an ended transaction for repetitions; only the last few."""
        self.ended[running.transaction.ocpp_id] = running
        while len(self.ended) > _REMEMBERED:
            del self.ended[next(iter(self.ended))]


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """What a message needs from the database before it can be decided."""

    uid_keys: frozenset[str] = frozenset()
    turned_keys: frozenset[str] = frozenset()
    start_keys: frozenset[str] = frozenset()
    ocpp_ids: frozenset[int] = frozenset()
    records_of: frozenset[int] = frozenset()
    """Transactions, by the station's number, of whose record it matters whether somebody has decided about it."""
    stops: frozenset[datetime] = frozenset()
    """When stops with unknown numbers were: they may have been said before under another number."""
    session_ids: frozenset[str] = frozenset()
    place: bool = False


NOTHING = Needs()


class StoredSession(msgspec.Struct, frozen=True):
    """A session as stored; `ref` is its transaction, None while its start is awaited."""

    ref: str | None
    session: ChargingSession
    snapshot: Snapshot


class Known(msgspec.Struct, kw_only=True):
    """What the batch looked up: tokens by uid key, earlier transactions, our locations and tariffs by folded id.

    `prices` are those that eMSPs get in place of ours.
    """

    tokens: dict[str, list[Token]] = {}
    started: dict[str, Transaction] = {}
    numbered: dict[int, Running] = {}
    locations: dict[str, Location] = {}
    tariffs: dict[str, Tariff] = {}
    prices: PriceMaps = {}
    stopped: list[Transaction] = []
    decided: set[int] = set()
    """Of the transactions asked for, by number, those whose record is held no more."""
    aliases: dict[str, Alias] = {}
    grants: dict[str, list[Grant]] = {}
    sessions: dict[str, StoredSession] = {}

    def place(self, state: StationState, evse: int, connector: int) -> Place | None:
        """Our place that a station's connector is, if the operator has told us and it still exists."""
        link = state.station.link(evse, connector)
        location = self.locations.get((state.station.location_id or "").upper())
        if link is None or location is None:
            return None
        our_evse = location.evse(link.evse_uid)
        our_connector = our_evse.connector(link.connector_id) if our_evse else None
        if our_evse is None or our_connector is None:
            return None
        return Place(location=location, evse=our_evse, connector=our_connector)


NOTHING_KNOWN = Known()
"""For messages that need nothing; nobody writes into it."""


class Names(msgspec.Struct, frozen=True):
    """Where new names come from, and whose they are: random numbers and ids, our own party, our currency."""

    number: Callable[[], int]
    id: Callable[[], str]
    country_code: str
    party_id: str
    currency: str = "EUR"


class KeptSample(msgspec.Struct, frozen=True):
    """A sample to be stored whole, with the transaction it was found to belong to."""

    evse: int
    connector: int
    ref: str | None
    at: datetime
    sample: MeterSample
    reading: Reading


class BilledRecord(msgspec.Struct, frozen=True):
    """A CDR to be stored, for the transaction `ref`."""

    record: ChargeDetailRecord
    ref: str
    state: CdrState
    reason: HoldReason | None
    again: bool = False
    """Made anew for a transaction that had a record already."""


class Changes(msgspec.Struct, kw_only=True):
    """What one decided message changes; rows are made of it in one place, by the intake."""

    station: ChargingStation | None = None
    online: bool | None = None
    connectors: list[ConnectorReport] = []
    evses: list[tuple[str, str, EvseStatus]] = []
    turns: list[Turn] = []
    """EVSEs that can serve from now on, or no longer."""
    samples: list[KeptSample] = []
    running: list[Running] = []
    """Whose transaction changed; what only a new sample says is read from the samples again."""
    sessions: list[Running] = []
    """Whose session changed."""
    orphans: list[Transaction] = []
    awaited: list[tuple[ChargingSession, Snapshot]] = []
    """Sessions without a transaction (yet)."""
    grants: list[Grant] = []
    reservations_used: list[int] = []
    records: list[BilledRecord] = []
    notices: list[Notice] = []
    events: list[Event] = []
    quarantine: str | None = None
    deviations: list[str] = []


class Situation(msgspec.Struct, kw_only=True):
    """One message being decided: the station, what was looked up, the time, and the changes so far."""

    state: StationState
    known: Known
    now: datetime
    names: Names
    changes: Changes
    asked: Asked | None = None
    """What the issuer said of the id tag in the message, where it was asked."""
