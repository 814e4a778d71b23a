"""Pauses: what a connector's status means for the transaction under way there."""

from datetime import datetime

from app.domain.charging import progress
from app.domain.charging.state import Situation
from app.domain.pricing import Activity
from app.domain.stations import StatusReport
from app.domain.status import ConnectorStatus
from app.domain.transactions import Cause, Transaction

_ACTIVITY = {
    ConnectorStatus.CHARGING: Activity.CHARGING,
    ConnectorStatus.SUSPENDED_EV: Activity.PARKING,
    ConnectorStatus.SUSPENDED_EVSE: Activity.IDLE,
    ConnectorStatus.FAULTED: Activity.IDLE,
}
_CAUSE = {
    ConnectorStatus.SUSPENDED_EV: Cause.SUSPENDED_EV,
    ConnectorStatus.SUSPENDED_EVSE: Cause.SUSPENDED_EVSE,
    ConnectorStatus.FAULTED: Cause.FAULT,
}
_PAUSES = frozenset(_CAUSE.values())


def pause_or_resume(s: Situation, report: StatusReport, at: datetime) -> None:
    """Note that it pauses, goes on, or is about to end; partners are told where that changes its price."""
    running = s.state.at_connector(report.evse, report.connector)
    if running is None or at < (running.transaction.started_at or at):
        return
    transaction = running.transaction
    activity = _ACTIVITY.get(report.status)
    if report.status is ConnectorStatus.AVAILABLE:
        transaction.end_signed_at = transaction.end_signed_at or s.now
        s.changes.running.append(running)
    if activity is None:
        return
    cause = _CAUSE.get(report.status)
    progress.resume(transaction, _PAUSES - {cause}, at)
    if cause is not None:
        progress.interrupt(transaction, cause, at)
    transaction.end_signed_at = None
    s.changes.running.append(running)
    if _note_activity(transaction, at, activity):
        progress.tell_progress(s, running, max(at, running.register.last_at), cut=True)


def _note_activity(transaction: Transaction, at: datetime, activity: Activity) -> bool:
    """Put a change of activity in its place in time; whether anything is different now."""
    series = transaction.activity
    position = next((i for i, (t, _) in enumerate(series) if t > at), len(series))
    if position and series[position - 1][1] is activity:
        return False
    if position and series[position - 1][0] == at:
        series[position - 1] = (at, activity)
    else:
        series.insert(position, (at, activity))
    return True
