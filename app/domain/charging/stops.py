"""The end of a transaction: the stop a station reports, or the end we put where none ever came."""

from datetime import datetime
from decimal import Decimal
from uuid import NAMESPACE_OID, uuid5

from msgspec.structs import replace

from app.domain.authorization import Standing, admit, standing
from app.domain.cdrs import CdrState
from app.domain.charging import asking, clocks
from app.domain.charging.billing import bill
from app.domain.charging.progress import keep, owner, tell
from app.domain.charging.state import KeptSample, Running, Situation
from app.domain.events import CdrIssued
from app.domain.metering import read
from app.domain.sessions import SessionStatus
from app.domain.tokens import Authorization, Verdict
from app.domain.transactions import Flag, StopAnswer, Transaction, TransactionEnded


def stop(s: Situation, report: TransactionEnded) -> StopAnswer:
    """A car stops charging. Whatever the station says is kept; the first stop stands."""
    running = _meant(s, report)
    answer = _stop_answer(s, report, running)
    if running is None:
        said = _said_before(s, report)
        if said is None or Flag.ORPHAN in said.flags:
            _park(s, report, answer.authorization)
        return answer
    transaction = running.transaction
    if not transaction.active and _only_estimated(transaction) and transaction.ocpp_id not in s.known.decided:
        _reopen(running)
    for sample in report.samples:
        keep(s, running, (transaction.evse, transaction.connector), sample)
    if transaction.active:
        _settle(s, running, report)
        if transaction.ocpp_id != report.transaction_id and not (report.id_tag and _one_connector(s)):
            # Another car's start may have been lost: a person looks at it, unless the true stop comes.
            transaction.flag(Flag.NO_STOP)
        _mark_overlap(s, running)
        finish(s, running)
    elif transaction.meter_stop != report.meter_stop:
        s.changes.deviations.append("a second stop with another meter reading: the first stands")
    return answer


def close(s: Situation, running: Running, flag: Flag, at: datetime) -> None:
    """End a transaction whose stop never came, at the last good reading, but not after `at`."""
    transaction, register = running.transaction, running.register
    began = transaction.started_at or at
    last = transaction.activity[-1][0] if transaction.activity else began
    transaction.stopped_at = max(began, min(at, max(register.last_at, last)))
    transaction.energy_wh = register.energy_wh
    if register.reset:
        transaction.flag(Flag.METER_RESET)
    transaction.flag(flag)
    finish(s, running)


def finish(s: Situation, running: Running) -> None:
    """The end of a transaction: session complete, CDR made, interruptions closed."""
    transaction = running.transaction
    ended_at = transaction.stopped_at or s.now
    for interruption in transaction.interruptions:
        interruption.until = interruption.until or ended_at
    record = bill(running, ended_at, transaction.cdr_id or s.names.id(), s.now)
    s.state.finished(running)
    tell(s, running, whole=True)
    if record is None:
        return
    s.changes.records.append(replace(record, again=True) if transaction.cdr_id else record)
    transaction.cdr_id = record.record.id
    if record.state is CdrState.ISSUED:
        s.changes.events.append(CdrIssued(cdr_id=record.record.id, owner=owner(running), at=s.now))


def _stop_answer(s: Situation, report: TransactionEnded, running: Running | None) -> StopAnswer:
    """Nobody is asked about a stop: whoever was let in may leave, unless the token is blocked meanwhile."""
    if report.id_tag is None:
        return StopAnswer()
    tag = asking.shown(s.state, s.known, report.id_tag, s.now)
    own = (
        running is not None and running.transaction.authorized and running.transaction.id_tag == report.id_tag
    )
    if own and standing(tag.token, s.now) is not Standing.BLOCKED:
        return StopAnswer(authorization=Authorization(verdict=Verdict.ACCEPTED))
    return StopAnswer(authorization=admit(tag, s.now, reuse=True).authorization)


def _meant(s: Situation, report: TransactionEnded) -> Running | None:
    number, state = report.transaction_id, s.state
    numbered = state.running.get(number) or state.ended.get(number) or s.known.numbered.get(number)
    return numbered or (None if _said_before(s, report) else _matching(s, report))


def _said_before(s: Situation, report: TransactionEnded) -> Transaction | None:
    """The transaction that the same stop ended under another number: some stations change it when they repeat."""
    if report.meter_stop is None:
        return None
    ended = [running.transaction for running in s.state.ended.values()]
    for each in (*ended, *s.known.stopped):
        same = each.stopped_at == report.at and each.meter_stop == report.meter_stop
        if same and (report.id_tag is None or each.id_tag in (None, report.id_tag)):
            return each
    return None


def _matching(s: Situation, report: TransactionEnded) -> Running | None:
    """The one open transaction that a stop with an unknown number can only mean; None where in doubt."""
    at = clocks.billed(report.at, s.now)
    fitting = [
        running
        for running in s.state.running.values()
        if (running.transaction.started_at or at) <= at
        and (report.meter_stop is None or (running.transaction.meter_start or 0) <= report.meter_stop)
        and (report.id_tag is None or running.transaction.id_tag == report.id_tag)
    ]
    return fitting[0] if len(fitting) == 1 else None


def _one_connector(s: Situation) -> bool:
    """Whether nothing else at this station can have been stopped, as far as we know it."""
    linked = {(link.evse, link.connector) for link in s.state.station.connectors}
    seen = {key for key in s.state.connectors if key[0]}
    return len(linked | seen) == 1


def _only_estimated(transaction: Transaction) -> bool:
    """Closed by us for want of a stop, not by a person's hand."""
    return Flag.NO_STOP in transaction.flags and Flag.CLOSED_BY_HAND not in transaction.flags


def _reopen(running: Running) -> None:
    running.transaction.stopped_at = None
    running.transaction.flags.remove(Flag.NO_STOP)
    running.session = replace(running.session, status=SessionStatus.ACTIVE, end_date_time=None)


def _settle(s: Situation, running: Running, report: TransactionEnded) -> None:
    """Write the end into the transaction: the time and energy that are billed."""
    transaction = running.transaction
    began = transaction.started_at or s.now
    ended = clocks.billed(report.at, s.now)
    if not clocks.believable(report.at, s.now):
        transaction.flag(Flag.CLOCK)
    if ended < began:
        # The clock was set back in between: the moments of receipt are the better pair.
        transaction.flag(Flag.CLOCK)
        ended = max(began, s.now)
    elif _by_another_clock(transaction, report.at, s.now):
        transaction.flag(Flag.MIXED_CLOCKS)
    total, wrong = running.register.settle(ended, report.meter_stop, transaction.meter_start or Decimal(0))
    if wrong is not None:
        transaction.flag(wrong)
    transaction.stopped_at = ended
    transaction.meter_stop = report.meter_stop
    transaction.stop_reason = report.reason
    transaction.energy_wh = total


def _by_another_clock(transaction: Transaction, at: datetime | None, now: datetime) -> bool:
    """Whether an end said at `at` was measured by another clock than the start, with nothing to compare them by.

    A start from a clock that ran ahead counts from its receipt. A stop that comes late may be by that clock still,
    or by the corrected one. And if a start was kept offline, the moment a stop without a usable time was received
    says nothing about when it was.
    """
    if at is not None and clocks.believable(at, now):
        return transaction.ahead and clocks.replayed(at, now)
    return Flag.REPLAYED in transaction.flags


def _mark_overlap(s: Situation, running: Running) -> None:
    """Two transactions at one connector at one time cannot both be right."""
    mine = running.transaction
    began, ended = mine.started_at, mine.stopped_at
    if began is None or ended is None:
        return
    if mine.followed_at is not None and began < mine.followed_at < ended:
        mine.flag(Flag.OVERLAP)
    for other in (*s.state.running.values(), *s.state.ended.values()):
        theirs = other.transaction
        if theirs.started_at is None or not began < theirs.started_at < ended:
            continue
        if (theirs.evse, theirs.connector) == (mine.evse, mine.connector):
            mine.flag(Flag.OVERLAP)


def _park(s: Situation, report: TransactionEnded, authorization: Authorization | None) -> None:
    """A stop that belongs to nothing we know waits for a person; the same stop again is the same orphan."""
    meter = "" if report.meter_stop is None else f"{report.meter_stop.normalize():f}"
    key = f"stop|{report.transaction_id}|{report.stamp}|{meter}"
    orphan = Transaction(
        ref=str(uuid5(NAMESPACE_OID, f"{s.state.station.id}|{key}")),
        station_id=s.state.station.id,
        start_key=key,
        ocpp_id=report.transaction_id,
        evse=0,
        connector=0,
        id_tag=report.id_tag,
        started_at=None,
        received_at=s.now,
        meter_start=None,
        stopped_at=clocks.billed(report.at, s.now),
        meter_stop=report.meter_stop,
        stop_reason=report.reason,
        authorized=authorization is not None and authorization.verdict is Verdict.ACCEPTED,
        flags=[Flag.ORPHAN],
        heard_at=s.now,
    )
    s.changes.orphans.append(orphan)
    for sample in report.samples:
        at = clocks.billed(sample.at, s.now)
        s.changes.samples.append(KeptSample(0, 0, orphan.ref, at, sample, read(sample.values)))
