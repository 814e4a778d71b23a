"""The start of a transaction: who charges where at what price, decided once and kept as a snapshot."""

from datetime import datetime
from decimal import Decimal

from msgspec.structs import replace

from app.domain.audiences import instead
from app.domain.authorization import Admitted, admit
from app.domain.charging import asking, clocks
from app.domain.charging.progress import tell
from app.domain.charging.registers import Register
from app.domain.charging.state import Running, Situation
from app.domain.charging.stops import close
from app.domain.locations import Connector, Place
from app.domain.parties import Party
from app.domain.pricing import Activity, session_tariff
from app.domain.sessions import AuthMethod, ChargingSession, SessionStatus, Snapshot
from app.domain.tariffs import Tariff
from app.domain.tokens import (
    SessionToken,
    Token,
    TokenType,
)
from app.domain.transactions import Flag, StartAnswer, Transaction, TransactionStarted, start_key

_PHASES = {"AC_3_PHASE": 3, "AC_2_PHASE": 2, "AC_2_PHASE_SPLIT": 2}


def start(s: Situation, report: TransactionStarted) -> StartAnswer:
    """A car begins to charge. The same start again gets its first answer, and nothing is done twice."""
    key = start_key(report)
    first = asking.started_before(s.state, s.known, key)
    if first is not None and first.answer is not None and not asking.long_over(first):
        return first.answer
    began = clocks.billed(report.at, s.now)
    tag = asking.shown(s.state, s.known, report.id_tag, began, report.evse)
    admitted = admit(tag, s.now, asked=s.asked, reuse=True)
    asking.note_turned(s, report.id_tag, admitted)
    answer = StartAnswer(transaction_id=_free_number(s), authorization=admitted.authorization)
    begun = _begin(s, report, admitted, answer, uid=tag.id_tag)
    if first is not None:
        begun.transaction.start_key = f"{key}{asking.AGAIN}{answer.transaction_id}"
    if tag.several_owners and admitted.grant is None:
        begun.transaction.flag(Flag.SEVERAL_OWNERS)
    if report.reservation_id is not None:
        s.changes.reservations_used.append(report.reservation_id)
    _close_earlier(s, begun)
    s.state.running[begun.transaction.ocpp_id] = begun
    tell(s, begun, whole=True)
    return answer


def rated_kw(connector: Connector | None) -> Decimal | None:
    """The most power (kW) a connector gives: as stated, else volts x amperes x phases."""
    if connector is None:
        return None
    if connector.max_electric_power:
        return Decimal(connector.max_electric_power) / 1000
    phases = _PHASES.get(connector.power_type, 1)
    return Decimal(connector.max_voltage * connector.max_amperage * phases) / 1000


def register_for(transaction: Transaction, snapshot: Snapshot) -> Register:
    """An empty register for a transaction, to be filled with its samples."""
    connector = snapshot.place.connector if snapshot.place else None
    began = transaction.started_at or transaction.received_at
    return Register(began, transaction.meter_start or Decimal(0), rated_kw(connector))


def _free_number(s: Situation) -> int:
    number = s.names.number()
    while number in s.state.running or number in s.state.ended:
        number = s.names.number()
    return number


def _begin(
    s: Situation, report: TransactionStarted, admitted: Admitted, answer: StartAnswer, *, uid: str
) -> Running:
    began = clocks.billed(report.at, s.now)
    transaction = Transaction(
        ref=s.names.id(),
        station_id=s.state.station.id,
        start_key=start_key(report),
        ocpp_id=answer.transaction_id,
        evse=report.evse,
        connector=report.connector,
        id_tag=report.id_tag,
        started_at=began,
        received_at=s.now,
        meter_start=report.meter_start,
        authorized=admitted.accepted,
        answer=answer,
        activity=[(began, Activity.CHARGING)],
        heard_at=s.now,
    )
    if not clocks.believable(report.at, s.now):
        transaction.flag(Flag.CLOCK)
        transaction.ahead = report.at is not None
    elif clocks.replayed(began, s.now):
        transaction.flag(Flag.REPLAYED)
    place = s.known.place(s.state, report.evse, report.connector)
    snapshot = snapshot_of(s, place, began, admitted.token, id_tag=uid)
    session = session_of(
        s,
        snapshot,
        began,
        session_id=_awaited(s, admitted) or s.names.id(),
        status=SessionStatus.ACTIVE,
        method=admitted.method,
        reference=admitted.reference,
    )
    session = replace(session, let_in=transaction.authorized)
    transaction.session_id = session.id
    return Running(transaction, register_for(transaction, snapshot), snapshot, session)


def _awaited(s: Situation, admitted: Admitted) -> str | None:
    """The name of the session that a remote start has announced, if this is the start it is waiting for."""
    grant = admitted.grant
    if grant is None or grant.session_id is None:
        return None
    every = (*s.state.running.values(), *s.state.ended.values())
    if any(running.session.id == grant.session_id for running in every):
        return None
    s.changes.grants.append(replace(grant, session_id=None))
    return grant.session_id


def snapshot_of(
    s: Situation, place: Place | None, began: datetime, token: Token | None, *, id_tag: str
) -> Snapshot:
    """What a session is started with: place, price and token as they are now."""
    boot = s.state.station.boot
    return Snapshot(
        place=_just_here(place),
        tariff=_tariff(s, place, began, token),
        token=SessionToken(
            country_code=token.country_code if token else s.names.country_code,
            party_id=token.party_id if token else s.names.party_id,
            uid=token.uid if token else id_tag,
            type=token.type if token else TokenType.OTHER,
            contract_id=token.contract_id if token else id_tag,
        ),
        meter_id=boot.meter_serial_number if boot else None,
    )


def _just_here(place: Place | None) -> Place | None:
    """The place without the site's other EVSEs: a snapshot is written with every session."""
    if place is None:
        return None
    evse = replace(place.evse, connectors=(place.connector,), details={})
    location = replace(place.location, evses=(), details={})
    return Place(location=location, evse=evse, connector=place.connector)


def _tariff(s: Situation, place: Place | None, began: datetime, token: Token | None) -> Tariff | None:
    """The tariff of the connector's that is meant for a session starting now; None if there is none.

    An eMSP with prices of its own gets those.
    """
    prices = s.known.prices.get(Party(token.country_code, token.party_id).folded(), {}) if token else {}
    named = instead(prices, place.connector.tariff_ids if place else ())
    known = [
        s.known.tariffs[key] for key in (tariff_id.upper() for tariff_id in named) if key in s.known.tariffs
    ]
    valid = [
        tariff
        for tariff in known
        if (tariff.start_date_time is None or tariff.start_date_time <= began)
        and (tariff.end_date_time is None or began < tariff.end_date_time)
    ]
    try:
        return session_tariff(valid, began)
    except ValueError:
        return None


def session_of(
    s: Situation,
    snapshot: Snapshot,
    began: datetime,
    *,
    session_id: str,
    status: SessionStatus,
    method: AuthMethod,
    reference: str | None,
) -> ChargingSession:
    """A new session as partners see it; nothing is charged yet."""
    place = snapshot.place
    return ChargingSession(
        country_code=s.names.country_code,
        party_id=s.names.party_id,
        id=session_id,
        start_date_time=began,
        token=snapshot.token,
        auth_method=method,
        authorization_reference=reference,
        location_id=place.location.id if place else None,
        evse_uid=place.evse.uid if place else None,
        connector_id=place.connector.id if place else None,
        meter_id=snapshot.meter_id,
        currency=snapshot.tariff.currency if snapshot.tariff else s.names.currency,
        status=status,
        last_updated=s.now,
    )


def _close_earlier(s: Situation, begun: Running) -> None:
    """A new start at a connector is the end of what was under way there, unless it is the older of the two."""
    began = begun.transaction.started_at
    earlier = s.state.at_connector(begun.transaction.evse, begun.transaction.connector)
    if earlier is None or began is None:
        return
    if earlier.transaction.started_at is not None and began < earlier.transaction.started_at:
        begun.transaction.followed_at = earlier.transaction.started_at
        return
    earlier.transaction.followed_at = began
    close(s, earlier, Flag.NO_STOP, began)
