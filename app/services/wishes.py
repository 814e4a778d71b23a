"""Wishes: what eMSPs and operators ask of stations, judged at once and handed to RemoteControl."""

import secrets
from datetime import datetime

from app.domain.authorization import ALIAS_FOR, REUSED_FOR, Grant, GrantKind, parent_id_tag
from app.domain.charging.strangers import Admits, everybody
from app.domain.errors import Conflict, Invalid, NotFound
from app.domain.parties import Party
from app.domain.ports import Driver
from app.domain.remote import (
    Asker,
    CancelOrder,
    CommandReply,
    CommandResult,
    CommandType,
    Order,
    RemoteCommand,
    ReserveOrder,
    StartOrder,
    StopOrder,
    UnlockOrder,
)
from app.domain.reservations import OPEN, Reservation
from app.domain.sessions import SessionStatus
from app.domain.tokens import Token, TokenType, choose, uid_key
from app.kit.clock import Clock
from app.kit.names import new_name
from app.services.remote import RemoteControl, Underway
from app.services.spots import Reply, Spot, Wrong, rejected, spot
from app.store import grants, remote, reservations, sessions, stations, tokens, transactions
from app.store.database.engine import Store
from app.store.database.unit_of_work import UnitOfWork

_ID_TAG = 20
_LARGEST_NUMBER = 2**31 - 1
_OFFLINE = "the station is not connected"


class Wishes:
    """The five commands of OCPI 2.2.1 mod_commands, and those of an operator. `admits` says whose tokens count."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        driver: Driver,
        control: RemoteControl,
        *,
        admits: Admits = everybody,
    ) -> None:
        self._admits = admits
        self._store = store
        self._clock = clock
        self._driver = driver
        self._control = control

    async def start(
        self,
        asker: Asker,
        token: Token,
        location_id: str,
        *,
        evse_uid: str | None = None,
        connector_id: str | None = None,
        reference: str | None = None,
    ) -> Reply:
        """START_SESSION. The token is not judged: whose it is and whether it may charge is the eMSP's affair."""
        found = await self._spot(location_id, evse_uid, connector_id)
        if isinstance(found, Reply):
            return found
        async with self._store.unit_of_work(self._clock) as unit:
            underway = await self._new_start(unit, found, token, asker, reference)
            if found.busy:
                return await self._control.at_once(unit, underway.command, CommandResult.EVSE_OCCUPIED)
            await remote.add(unit.session, underway.command)
        return self._control.send(underway)

    async def stop(self, asker: Asker, session_id: str, owners: tuple[Party, ...]) -> Reply:
        """STOP_SESSION of a session of one of these eMSPs; sessions of others are nobody's to stop."""
        async with self._store.reading() as reading:
            session = await sessions.get(reading, session_id)
            ref = await sessions.ref_of(reading, session_id) if session is not None else None
            transaction = await transactions.get(reading, ref) if ref is not None else None
        if session is None or not session.published:
            return Reply(result=CommandReply.UNKNOWN_SESSION, message="there is no such session")
        if Party(session.token.country_code, session.token.party_id).folded() not in owners:
            return rejected("this session is not yours")
        if transaction is None or not transaction.active:
            began = session.status is not SessionStatus.PENDING
            return rejected("the session has ended" if began else "the session has not begun")
        if not await self._driver.online(transaction.station_id):
            return rejected(_OFFLINE)
        order = StopOrder(transaction_id=transaction.ocpp_id)
        return await self._issue(CommandType.STOP_SESSION, transaction.station_id, order, asker)

    async def unlock(self, asker: Asker, location_id: str, evse_uid: str, connector_id: str) -> Reply:
        """UNLOCK_CONNECTOR."""
        found = await self._spot(location_id, evse_uid, connector_id)
        if isinstance(found, Reply):
            return found
        order = UnlockOrder(evse=found.evse or 1)
        return await self._issue(CommandType.UNLOCK_CONNECTOR, found.station_id, order, asker)

    async def reserve(
        self,
        asker: Asker,
        token: Token,
        location_id: str,
        *,
        evse_uid: str | None = None,
        reservation_id: str,
        expires_at: datetime,
        reference: str | None = None,
    ) -> Reply:
        """RESERVE_NOW. The same name at the same location replaces what was reserved under it."""
        found = await self._spot(location_id, evse_uid, None)
        if isinstance(found, Reply):
            return found
        async with self._store.unit_of_work(self._clock) as unit:
            if expires_at <= unit.now():
                return rejected("the reservation would be over already", Wrong.PARAMETER)
            earlier = [
                each
                for each in await reservations.by_name(unit.session, asker.partner_id, reservation_id)
                if each.station_id == found.station_id and each.state_at(unit.now()) in OPEN
            ]
            number = earlier[0].number if earlier else 1 + secrets.randbelow(_LARGEST_NUMBER)
            id_tag = await _id_tag(unit, token)
            command = self._control.command(
                CommandType.RESERVE_NOW, found.station_id, asker, unit.now(), number=number
            )
            await remote.add(unit.session, command)
            reservation = Reservation(
                number=number,
                reservation_id=reservation_id,
                asker=asker,
                token=token,
                station_id=found.station_id,
                location_id=found.location_id,
                evse_uid=found.evse_uid,
                authorization_reference=reference,
                expires_at=expires_at,
                created_at=unit.now(),
            )
            await reservations.save(unit.session, reservation)
            await grants.save(unit.session, _reserved(reservation, id_tag, found.evse, unit.now()))
        order = ReserveOrder(
            number=number,
            id_tag=id_tag,
            expires_at=expires_at,
            evse=found.evse,
            parent_id_tag=parent_id_tag(token),
        )
        return self._control.send(Underway(command, order))

    async def cancel(self, asker: Asker, reservation_id: str) -> Reply:
        """CANCEL_RESERVATION of the caller's own; nobody can reach another partner's."""
        async with self._store.unit_of_work(self._clock) as unit:
            named = await reservations.by_name(unit.session, asker.partner_id, reservation_id)
            found = next((each for each in named if each.state_at(unit.now()) in OPEN), None)
            if found is None:
                command = self._control.command(CommandType.CANCEL_RESERVATION, "", asker, unit.now())
                return await self._control.at_once(unit, command, CommandResult.UNKNOWN_RESERVATION)
        if not await self._driver.online(found.station_id):
            return rejected(_OFFLINE)
        order = CancelOrder(number=found.number)
        return await self._issue(
            CommandType.CANCEL_RESERVATION, found.station_id, order, asker, number=found.number
        )

    async def start_here(self, station_id: str, connector: int, uid: str) -> tuple[str, CommandResult]:
        """An operator's start with a token we know. Raises Invalid (token), Conflict (offline, occupied)."""
        async with self._store.reading() as reading:
            known = await tokens.by_uid(reading, uid)
            stored = await stations.get(reading, station_id)
            active, _ = await transactions.find(reading, station_id=station_id, active=True, limit=1000)
        if stored is None:
            raise NotFound(f"there is no station {station_id}")
        token = choose([each for each in known if self._admits(each)])
        if token is None:
            why = "its issuer has no agreement with us" if known else f"there is no token {uid}"
            raise Invalid(why, field="token")
        if not await self._driver.online(station_id):
            raise Conflict(f"station {station_id} is not connected")
        link = stored.station.link(connector, 1)
        where = Spot(
            station_id=station_id,
            location_id="",
            evse=connector,
            evse_uid=link.evse_uid if link else None,
            busy=any(each.evse == connector for each in active),
        )
        async with self._store.unit_of_work(self._clock) as unit:
            underway = await self._new_start(unit, where, token, None, None)
            if where.busy:
                await self._control.at_once(unit, underway.command, CommandResult.EVSE_OCCUPIED)
                return underway.command.id, CommandResult.EVSE_OCCUPIED
            await remote.add(unit.session, underway.command)
        return underway.command.id, await self._control.carry_out(underway)

    async def stop_here(self, ref: str) -> tuple[str, CommandResult]:
        """An operator's stop. Raises NotFound; Conflict (offline, ended)."""
        async with self._store.reading() as reading:
            transaction = await transactions.get(reading, ref)
        if transaction is None:
            raise NotFound(f"there is no transaction {ref}")
        if not transaction.active:
            raise Conflict(f"transaction {ref} has ended")
        if not await self._driver.online(transaction.station_id):
            raise Conflict(f"station {transaction.station_id} is not connected")
        order = StopOrder(transaction_id=transaction.ocpp_id)
        return await self._here(CommandType.STOP_SESSION, transaction.station_id, order)

    async def cancel_here(self, number: int) -> tuple[str, CommandResult]:
        """An operator gives a reservation up; its eMSP is told. Raises NotFound; Conflict (offline, over)."""
        async with self._store.reading() as reading:
            found = await reservations.get(reading, number)
        if found is None:
            raise NotFound(f"there is no reservation {number}")
        if found.state_at(self._clock.now()) not in OPEN:
            raise Conflict(f"reservation {number} is over")
        if not await self._driver.online(found.station_id):
            raise Conflict(f"station {found.station_id} is not connected")
        order = CancelOrder(number=number)
        return await self._here(CommandType.CANCEL_RESERVATION, found.station_id, order, number=number)

    async def _spot(self, location_id: str, evse_uid: str | None, connector_id: str | None) -> Spot | Reply:
        found = await spot(self._store, location_id, evse_uid, connector_id)
        if isinstance(found, Spot) and not await self._driver.online(found.station_id):
            return rejected(_OFFLINE)
        return found

    async def _new_start(
        self, unit: UnitOfWork, where: Spot, token: Token, asker: Asker | None, reference: str | None
    ) -> Underway:
        """Alias and grant are kept before the station hears of them: its start may come at any moment."""
        id_tag = await _id_tag(unit, token)
        command = self._control.command(
            CommandType.START_SESSION, where.station_id, asker, unit.now(), session_id=new_name()
        )
        underway = Underway(command, StartOrder(id_tag=id_tag, evse=where.evse))
        underway.evse_uid = where.evse_uid
        underway.grant = Grant(
            uid_key=uid_key(id_tag),
            station_id=where.station_id,
            kind=GrantKind.COMMAND,
            token=token,
            reference=reference,
            evse=where.evse,
            session_id=command.session_id,
            at=unit.now(),
            until=unit.now() + (REUSED_FOR if id_tag == token.uid else ALIAS_FOR),
        )
        if not where.busy:
            await grants.save(unit.session, underway.grant)
        return underway

    async def _issue(
        self, type_: CommandType, station_id: str, order: Order, asker: Asker, *, number: int | None = None
    ) -> Reply:
        return self._control.send(Underway(await self._added(type_, station_id, asker, number), order))

    async def _here(
        self, type_: CommandType, station_id: str, order: Order, *, number: int | None = None
    ) -> tuple[str, CommandResult]:
        command = await self._added(type_, station_id, None, number)
        return command.id, await self._control.carry_out(Underway(command, order))

    async def _added(
        self, type_: CommandType, station_id: str, asker: Asker | None, number: int | None
    ) -> RemoteCommand:
        async with self._store.unit_of_work(self._clock) as unit:
            command = self._control.command(type_, station_id, asker, unit.now(), number=number)
            await remote.add(unit.session, command)
        return command


async def _id_tag(unit: UnitOfWork, token: Token) -> str:
    """What the station knows a token by: its uid where that is a card's and short enough, else an alias."""
    if token.type is TokenType.RFID and len(token.uid) <= _ID_TAG:
        return token.uid
    return await grants.alias_for(unit.session, token, unit.now())


def _reserved(reservation: Reservation, id_tag: str, evse: int | None, now: datetime) -> Grant:
    return Grant(
        uid_key=uid_key(id_tag),
        station_id=reservation.station_id,
        kind=GrantKind.RESERVATION,
        token=reservation.token,
        reference=reservation.authorization_reference,
        evse=evse,
        at=now,
        until=reservation.expires_at,
    )
