"""One door for everything a station says: what a message needs to know, and what it decides."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from app.domain.authorization import REUSED_FOR, Asked, Grant, GrantKind, admit
from app.domain.charging import asking, availability, awaiting, clocks, pauses, progress
from app.domain.charging.showing import show
from app.domain.charging.starts import start
from app.domain.charging.state import NOTHING, Changes, Known, Names, Needs, Situation, StationState
from app.domain.charging.stops import close, stop
from app.domain.events import StationChanged, StationConnected
from app.domain.stations import (
    Acknowledged,
    Admission,
    AuthorizeReport,
    BootAnswer,
    BootReport,
    CloseOverdue,
    CloseTransaction,
    Connected,
    ConnectorReport,
    Disconnected,
    Heartbeat,
    Learned,
    Notice,
    Refused,
    SetUp,
    Silent,
    StartAwaited,
    StartOverdue,
    StatusReport,
    TimeAnswer,
    Unreadable,
)
from app.domain.tokens import Authorization, Verdict, uid_key
from app.domain.transactions import (
    Cause,
    Flag,
    StartAnswer,
    StopAnswer,
    Transaction,
    TransactionEnded,
    TransactionMetered,
    TransactionStarted,
    start_key,
)
from app.domain.upkeep.uid_order import UidOrder, turned_keys

HEARTBEAT_SECONDS = 300
PENDING_SECONDS = 30
STOP_GRACE = timedelta(minutes=15)
"""How long we wait for a stop after a station showed that the transaction is over."""

FORGOTTEN_AFTER = timedelta(days=3)
"""How long a transaction may say nothing before it is closed from its last good reading."""

_MOST_KINDS = 40
_OTHERS = "others"
"""Where kinds of deviations are counted of which a station has too many."""

_NONE: frozenset[int] = frozenset()

Report = (
    BootReport
    | Heartbeat
    | AuthorizeReport
    | StatusReport
    | TransactionStarted
    | TransactionMetered
    | TransactionEnded
    | Notice
    | Refused
    | Unreadable
    | Connected
    | Disconnected
    | Silent
    | SetUp
    | Learned
    | CloseTransaction
    | CloseOverdue
    | StartAwaited
    | StartOverdue
)
Answer = BootAnswer | TimeAnswer | Authorization | StartAnswer | StopAnswer | Acknowledged


def needs(state: StationState, report: Report) -> Needs:
    """What has to be looked up before `decide` may be called."""
    if isinstance(report, TransactionMetered):
        unknown = _unknown(state, report.transaction_id)
        return Needs(ocpp_ids=unknown) if unknown else NOTHING
    if isinstance(report, TransactionStarted):
        return Needs(
            uid_keys=frozenset((uid_key(report.id_tag),)),
            turned_keys=turned_keys(report.id_tag),
            start_keys=frozenset((start_key(report),)),
            place=True,
        )
    if isinstance(report, TransactionEnded):
        tags = () if report.id_tag is None else (uid_key(report.id_tag),)
        turns = frozenset() if report.id_tag is None else turned_keys(report.id_tag)
        unknown = _unknown(state, report.transaction_id)
        records = frozenset((report.transaction_id,)) if report.transaction_id in state.ended else unknown
        return Needs(
            uid_keys=frozenset(tags),
            turned_keys=turns,
            ocpp_ids=unknown,
            records_of=records,
            stops=frozenset((report.at,)) if unknown and report.at is not None else frozenset(),
        )
    if isinstance(report, AuthorizeReport):
        return Needs(uid_keys=frozenset((uid_key(report.id_tag),)), turned_keys=turned_keys(report.id_tag))
    if isinstance(report, StartAwaited):
        return Needs(session_ids=frozenset((report.grant.session_id or "",)), place=True)
    if isinstance(report, StartOverdue):
        return Needs(session_ids=frozenset((report.session_id,)))
    return NOTHING


def decide(
    state: StationState,
    report: Report,
    *,
    known: Known,
    now: datetime,
    names: Names,
    asked: Asked | None = None,
) -> tuple[Answer, Changes]:
    """What a report changes and what the station is answered. Raises only on a fault of our own.

    `asked`: what an issuer said, where `asking.question` wanted one to be asked; None: nobody was, or answered.
    """
    situation = Situation(state=state, known=known, now=now, names=names, changes=Changes(), asked=asked)
    return _DECISIONS[type(report)](situation, report), situation.changes


def tolerate(state: StationState, changes: Changes, deviations: Sequence[str], now: datetime) -> None:
    """Count what had to be forgiven in a station's message, and flag the transactions it changed."""
    counts = dict(state.station.tolerated)
    for deviation in deviations:
        name = deviation if deviation in counts or len(counts) < _MOST_KINDS else _OTHERS
        counts[name] = counts.get(name, 0) + 1
    state.station = replace(state.station, tolerated=counts, last_updated=now)
    changes.station = state.station
    for running in changes.running:
        running.transaction.flag(Flag.TOLERATED)


def _unknown(state: StationState, number: int | None) -> frozenset[int]:
    """The transaction number, if it is none of those in memory."""
    if number is None or number in state.running or number in state.ended:
        return _NONE
    return frozenset((number,))


def _boot(s: Situation, report: BootReport) -> Answer:
    _station(s, boot=report, booted_at=s.now)
    for running in s.state.running.values():
        transaction = running.transaction
        progress.interrupt(transaction, Cause.POWER_LOSS, min(running.register.last_at, s.now))
        progress.resume(transaction, frozenset({Cause.POWER_LOSS}), s.now)
        transaction.end_signed_at = transaction.end_signed_at or s.now
        s.changes.running.append(running)
    accepted = s.state.station.state is Admission.ACCEPTED
    return BootAnswer(
        status="Accepted" if accepted else "Pending",
        now=s.now,
        interval=HEARTBEAT_SECONDS if accepted else PENDING_SECONDS,
    )


def _heartbeat(s: Situation, _report: Heartbeat) -> Answer:
    return TimeAnswer(now=s.now)


def _authorize(s: Situation, report: AuthorizeReport) -> Answer:
    admitted = admit(asking.shown(s.state, s.known, report.id_tag, s.now), s.now, asked=s.asked)
    asking.note_turned(s, report.id_tag, admitted)
    if s.asked is not None:
        # The start that follows is the same use of the token: its issuer is asked once.
        s.changes.grants.append(
            Grant(
                uid_key=uid_key(report.id_tag),
                station_id=s.state.station.id,
                kind=GrantKind.ASKED,
                token=admitted.token,
                verdict=admitted.authorization.verdict,
                method=admitted.method,
                reference=admitted.reference,
                at=s.now,
                until=s.now + REUSED_FOR,
            )
        )
    return admitted.authorization


def _status(s: Situation, report: StatusReport) -> Answer:
    # A clock that runs ahead must not make later reports look older.
    at = min(clocks.billed(report.at, s.now), s.now)
    pauses.pause_or_resume(s, report, at)
    key = (report.evse, report.connector)
    last = s.state.connectors.get(key)
    if last is not None and at < last.at:
        return Acknowledged()
    seen = ConnectorReport(
        evse=report.evse,
        connector=report.connector,
        status=report.status,
        error_code=report.error_code,
        info=report.info,
        vendor_id=report.vendor_id,
        vendor_error_code=report.vendor_error_code,
        at=at,
        received_at=s.now,
    )
    s.changes.turns += availability.changed(s.state.connectors, seen)
    s.state.connectors[key] = seen
    s.changes.connectors.append(seen)
    show(s)
    return Acknowledged()


def _metered(s: Situation, report: TransactionMetered) -> Answer:
    progress.meter(s, report)
    return Acknowledged()


def _notice(s: Situation, report: Notice) -> Answer:
    s.changes.notices.append(report)
    if report.kind == "FirmwareStatusNotification":
        _station(s, firmware_status=report.status)
    elif report.kind == "DiagnosticsStatusNotification":
        _station(s, diagnostics_status=report.status)
    return Acknowledged()


def _refused(_s: Situation, _report: Refused) -> Answer:
    return Acknowledged()


def _unreadable(s: Situation, report: Unreadable) -> Answer:
    """A transaction message nobody can read is kept for a person; the station must not send it for ever."""
    s.changes.quarantine = f"{report.action}: {report.reason}"
    if report.action == "StartTransaction":
        return StartAnswer(
            transaction_id=s.names.number(), authorization=Authorization(verdict=Verdict.INVALID)
        )
    return StopAnswer() if report.action == "StopTransaction" else Acknowledged()


def _connected(s: Situation, report: Connected) -> Answer:
    _station(s, ocpp_version=report.version)
    s.changes.events.append(StationConnected(station_id=s.state.station.id, at=s.now))
    s.changes.online = True
    s.changes.turns += availability.turns(s.state.connectors).values()
    s.state.lost_at = None
    for running in s.state.running.values():
        progress.resume(running.transaction, frozenset({Cause.OFFLINE}), s.now)
        s.changes.running.append(running)
    show(s)
    return Acknowledged()


def _disconnected(s: Situation, _report: Disconnected) -> Answer:
    _station(s)
    s.changes.online = False
    s.changes.turns += availability.offline(s.state.connectors)
    for running in s.state.running.values():
        progress.interrupt(running.transaction, Cause.OFFLINE, s.now)
        s.changes.running.append(running)
    return Acknowledged()


def _silent(s: Situation, _report: Silent) -> Answer:
    """The socket has been away long enough: drivers must not trust the last status any more."""
    s.state.lost_at = s.state.lost_at or s.now
    show(s)
    return Acknowledged()


def _set_up(s: Situation, report: SetUp) -> Answer:
    """The operator's word about the station; what the station said of itself stays."""
    before = s.state.station
    _station(
        s,
        state=report.state or before.state,
        location_id=report.location_id,
        connectors=report.connectors,
        security_profile=report.security_profile,
        uid_order=report.uid_order,
        uid_hint=before.uid_hint if report.uid_order is UidOrder.AS_READ else None,
    )
    if before.location_id != report.location_id or before.connectors != report.connectors:
        s.state.shown.clear()
    show(s)
    return Acknowledged()


def _learned(s: Situation, report: Learned) -> Answer:
    """What was found out by asking stays known until something else is found out."""
    found = {name: value for name in report.__struct_fields__ if (value := getattr(report, name)) is not None}
    _station(s, **found)
    return Acknowledged()


def _station(s: Situation, **fields: Any) -> None:
    s.state.station = replace(s.state.station, **fields, last_updated=s.now)
    s.changes.station = s.state.station
    s.changes.events.append(StationChanged(station_id=s.state.station.id))


def _close(s: Situation, report: CloseTransaction) -> Answer:
    running = next((r for r in s.state.running.values() if r.transaction.ref == report.ref), None)
    if running is not None:
        close(s, running, Flag.CLOSED_BY_HAND, s.now)
    return Acknowledged()


def _close_overdue(s: Situation, _report: CloseOverdue) -> Answer:
    for running in list(s.state.running.values()):
        if overdue(running.transaction, s.now):
            close(s, running, Flag.NO_STOP, s.now)
    return Acknowledged()


def overdue(transaction: Transaction, now: datetime) -> bool:
    """Whether a transaction's stop will hardly come any more."""
    signed = transaction.end_signed_at
    return (
        signed is not None and now - signed >= STOP_GRACE
    ) or now - transaction.heard_at >= FORGOTTEN_AFTER


_DECISIONS: dict[type, Callable[[Situation, Any], Answer]] = {
    BootReport: _boot,
    Heartbeat: _heartbeat,
    AuthorizeReport: _authorize,
    StatusReport: _status,
    TransactionStarted: start,
    TransactionMetered: _metered,
    TransactionEnded: stop,
    Notice: _notice,
    Refused: _refused,
    Unreadable: _unreadable,
    Connected: _connected,
    Disconnected: _disconnected,
    Silent: _silent,
    SetUp: _set_up,
    Learned: _learned,
    CloseTransaction: _close,
    CloseOverdue: _close_overdue,
    StartAwaited: awaiting.await_start,
    StartOverdue: awaiting.give_up,
}
