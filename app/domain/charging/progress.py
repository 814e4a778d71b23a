"""A transaction under way: its meter values, its pauses, and what partners are told of it."""

from datetime import datetime

from app.domain.charging import clocks
from app.domain.charging.billing import progressed
from app.domain.charging.signed import signed_value
from app.domain.charging.state import KeptSample, Running, Situation
from app.domain.events import SessionChanged
from app.domain.metering import MeterSample, SampledValue, read
from app.domain.parties import Party
from app.domain.sessions import PUSH_INTERVAL
from app.domain.transactions import Cause, Interruption, Transaction, TransactionMetered


def meter(s: Situation, report: TransactionMetered) -> None:
    """Meter values: kept whole, read into the running transaction they belong to."""
    running = _metered(s, report)
    active = running is not None and running.transaction.active
    for sample in report.samples:
        keep(s, running, (report.evse, report.connector), sample)
    if running is None or not active:
        return
    transaction = running.transaction
    transaction.heard_at = s.now
    if transaction.end_signed_at is not None:
        transaction.end_signed_at = None
        s.changes.running.append(running)
    if transaction.told_at is None or s.now - transaction.told_at >= PUSH_INTERVAL:
        tell_progress(s, running, running.register.last_at)


def keep(s: Situation, running: Running | None, place: tuple[int, int], sample: MeterSample) -> None:
    """Store a sample whole, and read it into the transaction it belongs to."""
    at = clocks.billed(sample.at, s.now)
    reading = read(sample.values)
    ref = running.transaction.ref if running else None
    s.changes.samples.append(KeptSample(*place, ref, at, sample, reading))
    if running is None:
        return
    # After an end that we put ourselves, too: a true stop that comes late is billed with all that was metered.
    running.register.add(at, reading)
    if running.transaction.active:
        for value in sample.values:
            if value.signed:
                _keep_signed(running.transaction, value)
                s.changes.running.append(running)


def _keep_signed(transaction: Transaction, value: SampledValue) -> None:
    """Of signed values the first and the last count; one too long for a CDR stays with its sample."""
    if (signed := signed_value(value)) is not None:
        transaction.signed = [*transaction.signed[:1], signed]


def tell_progress(s: Situation, running: Running, until: datetime, *, cut: bool = False) -> None:
    """Bring the session up to date, and tell partners if anything they see is different."""
    before = running.session
    after = progressed(running, max(until, before.start_date_time), s.now, cut=cut)
    if after.kwh == before.kwh and after.periods == before.periods:
        return
    running.session = after
    tell(s, running, whole=after.periods != before.periods)


def tell(s: Situation, running: Running, *, whole: bool) -> None:
    """Partners hear of a session of a driver who was let in, at a station that has a place."""
    running.transaction.told_at = s.now
    s.changes.running.append(running)
    s.changes.sessions.append(running)
    if running.session.published:
        s.changes.events.append(
            SessionChanged(session_id=running.session.id, owner=owner(running), whole=whole, at=s.now)
        )


def owner(running: Running) -> Party:
    """The eMSP whose driver charges."""
    return Party(running.snapshot.token.country_code, running.snapshot.token.party_id)


def interrupt(transaction: Transaction, cause: Cause, at: datetime) -> None:
    """Note that charging pauses from `at`, unless this cause is noted already."""
    if not any(i.cause is cause and i.until is None for i in transaction.interruptions):
        transaction.interruptions.append(Interruption(cause=cause, since=at))


def resume(transaction: Transaction, causes: frozenset[Cause], at: datetime) -> None:
    """Note that the pauses of these causes are over."""
    for interruption in transaction.interruptions:
        if interruption.cause in causes and interruption.until is None:
            interruption.until = max(interruption.since, at)


def _metered(s: Situation, report: TransactionMetered) -> Running | None:
    number, state = report.transaction_id, s.state
    if number is not None:
        numbered = state.running.get(number) or state.ended.get(number) or s.known.numbered.get(number)
        if numbered is not None:
            return numbered
    running = state.at_connector(report.evse, report.connector)
    if running is None or number not in (None, 0, -1):
        return None
    began = running.transaction.started_at
    within = all(sample.at is None or began is None or sample.at >= began for sample in report.samples)
    return running if within else None
