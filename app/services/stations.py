"""Stations as the operator keeps them: who may connect, with which password, and how one is taken in."""

import asyncio
import hashlib
import hmac
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from app.domain.errors import Invalid, NotFound
from app.domain.events import StationChanged
from app.domain.stations import Admission, ConnectorReport, SetUp
from app.kit.clock import Clock
from app.kit.gathering import Gathering
from app.store import stations as rows
from app.store.database.engine import Store
from app.store.stations import Credentials, StoredStation
from app.store.views import station_search
from app.store.views.station_search import StationQuery

MOST_PENDING = 1000
"""Strangers that are listed for the operator; more are refused unlisted, so that nobody can fill the database."""
LONGEST_ADOPTION = 24 * 60
_REMIND_SECONDS = 60.0
_SIDE_BY_SIDE = 500

_STATION_ID = re.compile(r"[\x21-\x2e\x30-\x7e]{1,48}")
_HEX_KEY = re.compile(rb"[0-9a-fA-F]{32,40}")

Door = Callable[[str, SetUp], Awaitable[object]]
"""Where a station's own row is made and changed: `Intake.report`, the one writer of the station."""


class UnknownStations(StrEnum):
    """What happens to an id that nobody has set up."""

    PENDING = "pending"
    ACCEPT = "accept"
    REJECT = "reject"


class Entry(StrEnum):
    """Whether a station that knocks is let in, or why not."""

    WELCOME = "welcome"
    ADOPTION = "adoption"
    UNKNOWN = "unknown"
    PENDING = "pending"
    REJECTED = "rejected"
    WRONG_PASSWORD = "wrong password"  # noqa: S105  # the name of a reason
    NO_PASSWORD = "no password"  # noqa: S105


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """A station that was taken in; `password` is told this once, where one was made."""

    id: str
    password: str | None = None
    adopt_until: datetime | None = None


def valid_id(station_id: str) -> bool:
    """Whether this can be the id of a station: 1 to 48 printable ASCII characters, no space and no slash."""
    return _STATION_ID.fullmatch(station_id) is not None


def new_password() -> str:
    """20 random bytes as 40 hex digits: fits AuthorizationKey of OCPP 1.6 and BasicAuthPassword of 2.0.1."""
    return secrets.token_hex(20)


def hash_password(password: str) -> str:
    """Salted SHA-256 of a password. A key of 32-40 hex digits counts the same in either case."""
    salt = secrets.token_bytes(16)
    return f"sha256${salt.hex()}${_digest(salt, _canonical(password.encode())).hex()}"


def password_matches(hashed: str, presented: bytes) -> bool:
    """Whether these bytes are the password, in constant time.

    A password of 32-40 hex digits is also accepted as the bytes it encodes (stations read the key both ways).
    """
    scheme, _, rest = hashed.partition("$")
    salt, _, digest = rest.partition("$")
    if scheme != "sha256":
        return False
    forms = (
        presented,
        _canonical(presented),
        presented.hex().encode() if len(presented) <= 20 else presented,
    )
    expected = bytes.fromhex(digest)
    found = [hmac.compare_digest(_digest(bytes.fromhex(salt), form), expected) for form in forms]
    return any(found)


def _canonical(password: bytes) -> bytes:
    return password.lower() if _HEX_KEY.fullmatch(password) else password


def _digest(salt: bytes, password: bytes) -> bytes:
    return hashlib.sha256(salt + password).digest()


class Stations:
    """The use cases; `profile_0` allows stations without a password (OCPP listens on loopback, or by setting)."""

    def __init__(
        self, store: Store, clock: Clock, door: Door, *, unknown: UnknownStations, profile_0: bool
    ) -> None:
        self._store = store
        self._clock = clock
        self._door = door
        self._unknown = unknown
        self._profile_0 = profile_0
        self._listed: dict[str, float] = {}
        self._credentials = Gathering("credentials of stations", self._look_up)

    async def admit(self, station_id: str, password: bytes | None) -> Entry:
        """Whether a station may connect now. An unknown one is listed, let in or refused, as set.

        Raises StoreUnavailable.
        """
        known = await self._credentials.get(station_id)
        if known is None:
            return await self._stranger(station_id)
        if known.state is Admission.PENDING:
            return Entry.PENDING
        if known.state is Admission.REJECTED:
            return Entry.REJECTED
        hashed = known.password_hash
        if hashed is not None and password is not None:
            return Entry.WELCOME if password_matches(hashed, password) else Entry.WRONG_PASSWORD
        if known.adopt_until is not None and known.adopt_until > self._clock.now() and password is None:
            return Entry.ADOPTION
        if hashed is None and self._profile_0 and not known.security_profile:
            return Entry.WELCOME
        return Entry.NO_PASSWORD

    async def _look_up(self, station_ids: Sequence[str]) -> dict[str, Credentials]:
        async with self._store.reading() as session:
            return await rows.credentials(session, station_ids)

    async def put(
        self, station_id: str, wanted: SetUp, password: str | None = None
    ) -> tuple[StoredStation, bool]:
        """Creates (True) or replaces a station as the operator wants it; it is accepted by that.

        Raises Invalid for an id or a password that cannot be.
        """
        if not valid_id(station_id):
            raise Invalid("1 to 48 printable ASCII characters, no space, no slash", field="id")
        if password is not None and not password:
            raise Invalid("a password has at least one character", field="password")
        wanted = msgspec.structs.replace(wanted, state=Admission.ACCEPTED)
        async with self._store.reading() as session:
            created = await rows.get(session, station_id) is None
        await self._door(station_id, wanted)
        if password is not None:
            async with self._store.unit_of_work(self._clock) as uow:
                await rows.set_password_hash(uow.session, station_id, hash_password(password))
        return await self.get(station_id), created

    async def put_all(self, wanted: Mapping[str, tuple[SetUp, str | None]]) -> None:
        """Creates or replaces many stations (with the password, where one is given) that were found good before."""
        pairs = list(wanted.items())
        for place in range(0, len(pairs), _SIDE_BY_SIDE):
            await asyncio.gather(
                *(
                    self._door(id_, msgspec.structs.replace(set_up, state=Admission.ACCEPTED))
                    for id_, (set_up, _) in pairs[place : place + _SIDE_BY_SIDE]
                )
            )
        async with self._store.unit_of_work(self._clock) as uow:
            for id_, (_, password) in pairs:
                if password is not None:
                    await rows.set_password_hash(uow.session, id_, hash_password(password))

    async def change(self, station_id: str, wanted: SetUp, password: str | None = None) -> StoredStation:
        """Sets a station up anew without letting it in. Raises NotFound."""
        await self.get(station_id)
        await self._door(station_id, msgspec.structs.replace(wanted, state=None))
        if password is not None:
            async with self._store.unit_of_work(self._clock) as uow:
                await rows.set_password_hash(uow.session, station_id, hash_password(password))
        return await self.get(station_id)

    async def accept(self, station_id: str, adopt_minutes: int | None = None) -> Accepted:
        """Takes a pending or rejected station in; makes a password where one is needed and no adoption is asked.

        Raises NotFound, Invalid (minutes).
        """
        if adopt_minutes is not None and not 0 < adopt_minutes <= LONGEST_ADOPTION:
            raise Invalid(f"between 1 and {LONGEST_ADOPTION} minutes", field="adopt_minutes")
        stored = await self.get(station_id)
        station = stored.station
        await self._door(
            station_id,
            SetUp(
                state=Admission.ACCEPTED,
                location_id=station.location_id,
                connectors=station.connectors,
                security_profile=station.security_profile,
                uid_order=station.uid_order,
            ),
        )
        if adopt_minutes is not None:
            return await self._open_adoption(station_id, timedelta(minutes=adopt_minutes))
        if stored.has_password or (self._profile_0 and not station.security_profile):
            return Accepted(id=station_id)
        password = new_password()
        async with self._store.unit_of_work(self._clock) as uow:
            await rows.set_password_hash(uow.session, station_id, hash_password(password))
        return Accepted(id=station_id, password=password)

    async def get(self, station_id: str) -> StoredStation:
        """The station; raises NotFound."""
        async with self._store.reading() as session:
            stored = await rows.get(session, station_id)
        if stored is None:
            raise NotFound(f"there is no station {station_id}")
        return stored

    async def find(
        self, *, limit: int, offset: int = 0, state: Admission | None = None, location_id: str | None = None
    ) -> tuple[list[StoredStation], int]:
        """Stations by id, and how many there are in all."""
        async with self._store.reading() as session:
            return await rows.find(session, state=state, location_id=location_id, limit=limit, offset=offset)

    async def search(
        self, wanted: StationQuery, *, limit: int, offset: int = 0
    ) -> tuple[list[StoredStation], int]:
        """Those of the stations that are looked for, and how many there are in all."""
        async with self._store.reading() as session:
            return await station_search.search(session, wanted, limit=limit, offset=offset)

    async def connectors(self, station_ids: list[str]) -> dict[str, list[ConnectorReport]]:
        """The last word about each connector, by station id."""
        async with self._store.reading() as session:
            return await rows.connectors_of(session, station_ids)

    async def offer_password(self, station_id: str) -> str:
        """A new password for a station under adoption: valid at once, the window stays open until it has it."""
        password = new_password()
        async with self._store.unit_of_work(self._clock) as uow:
            stored = await rows.get(uow.session, station_id)
            await rows.set_password_hash(uow.session, station_id, hash_password(password))
            await rows.adopt_until(uow.session, station_id, stored.adopt_until if stored else None)
        return password

    async def settle_adoption(self, station_id: str, *, taken: bool) -> None:
        """The station took the offered password (it is required from now on) or refused it (all is as before)."""
        async with self._store.unit_of_work(self._clock) as uow:
            if taken:
                await rows.adopt_until(uow.session, station_id, None)
                uow.emit(StationChanged(station_id=station_id))
                return
            stored = await rows.get(uow.session, station_id)
            await rows.set_password_hash(uow.session, station_id, None)
            await rows.adopt_until(uow.session, station_id, stored.adopt_until if stored else None)

    async def _stranger(self, station_id: str) -> Entry:
        if self._unknown is UnknownStations.REJECT:
            return Entry.UNKNOWN
        if self._unknown is UnknownStations.ACCEPT:
            await self._door(station_id, SetUp(state=Admission.ACCEPTED))
            return Entry.WELCOME
        await self._list_stranger(station_id)
        return Entry.UNKNOWN

    async def _list_stranger(self, station_id: str) -> None:
        moment = self._clock.monotonic()
        if len(self._listed) >= MOST_PENDING:
            self._listed = {k: at for k, at in self._listed.items() if at > moment - _REMIND_SECONDS}
        if station_id in self._listed or len(self._listed) >= MOST_PENDING:
            return
        self._listed[station_id] = moment
        _, pending = await self.find(limit=1, state=Admission.PENDING)
        if pending < MOST_PENDING:
            await self._door(station_id, SetUp(state=Admission.PENDING))

    async def _open_adoption(self, station_id: str, window: timedelta) -> Accepted:
        until = self._clock.now() + window
        async with self._store.unit_of_work(self._clock) as uow:
            await rows.adopt_until(uow.session, station_id, until)
        return Accepted(id=station_id, adopt_until=until)
