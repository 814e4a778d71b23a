"""Whether a station's message needs an issuer's word before it can be decided. Repetitions and replays never do."""

from datetime import datetime

from msgspec.structs import replace

from app.domain.authorization import Admitted, GrantKind, Question, Shown, Standing, to_ask
from app.domain.charging import clocks
from app.domain.charging.state import Known, Situation, StationState
from app.domain.events import StationChanged
from app.domain.stations import AuthorizeReport
from app.domain.tokens import uid_key
from app.domain.transactions import Flag, Transaction, TransactionStarted, start_key
from app.domain.upkeep.uid_order import UidHint, UidOrder, turned

AGAIN = "|#"
"""Between the key of a start and what tells it from an earlier one with the same key."""

ASKING = (AuthorizeReport, TransactionStarted)
"""The reports about which an issuer may have to be asked."""


def shown(state: StationState, known: Known, id_tag: str, at: datetime, evse: int | None = None) -> Shown:
    """An id tag at this station, with what was looked up of it.

    Where the reader tells uids backwards they are turned; what we made or sent ourselves comes back as it is.
    """
    key = uid_key(id_tag)
    alias = known.aliases.get(key)
    grants = [g for g in known.grants.get(key, ()) if g.station_id == state.station.id]
    expected = alias is not None or any(grant.kind is not GrantKind.ASKED for grant in grants)
    if state.station.uid_order is UidOrder.REVERSED and not expected:
        id_tag = turned(key) or id_tag
        key = uid_key(id_tag)
    return Shown(
        id_tag=id_tag, candidates=known.tokens.get(key, ()), alias=alias, grants=grants, evse=evse, at=at
    )


def note_turned(s: Situation, id_tag: str, admitted: Admitted) -> None:
    """Tell the operator of a uid that nobody knows, but would know if its bytes were read the other way round."""
    station, other = s.state.station, turned(uid_key(id_tag))
    if admitted.standing is not Standing.UNKNOWN or station.uid_order is UidOrder.REVERSED or other is None:
        return
    meant = next(iter(s.known.tokens.get(other, ())), None)
    if meant is None or admitted.accepted:
        return
    s.state.station = replace(
        station, uid_hint=UidHint(id_tag=id_tag, uid=meant.uid, at=s.now), last_updated=s.now
    )
    s.changes.station = s.state.station
    s.changes.events.append(StationChanged(station_id=station.id))


def started_before(state: StationState, known: Known, key: str) -> Transaction | None:
    """The transaction that a start with this key began, if it was sent before."""
    for running in (*state.running.values(), *state.ended.values()):
        started = running.transaction.start_key
        if started.startswith(key) and started.partition(AGAIN)[0] == key:
            return running.transaction
    return known.started.get(key)


def long_over(first: Transaction) -> bool:
    """Whether a start with the key of this transaction is another one.

    A station without a clock writes the same time into every start, and often the same meter reading.
    """
    return Flag.CLOCK in first.flags and not first.active


def question(
    state: StationState, report: AuthorizeReport | TransactionStarted, known: Known, now: datetime
) -> Question | None:
    """What an issuer has to be asked before this message can be decided; None: nothing."""
    if isinstance(report, AuthorizeReport):
        tag = shown(state, known, report.id_tag, now)
        return _of(state, tag, None) if to_ask(tag, now, reuse=False) else None
    began = clocks.billed(report.at, now)
    first = started_before(state, known, start_key(report))
    if clocks.replayed(began, now) or (first is not None and not long_over(first)):
        return None
    tag = shown(state, known, report.id_tag, began, report.evse)
    if not to_ask(tag, now, reuse=True):
        return None
    link = state.station.link(report.evse, report.connector)
    return _of(state, tag, link.evse_uid if link else None)


def _of(state: StationState, tag: Shown, evse_uid: str | None) -> Question:
    token = tag.token
    return Question(
        uid=token.uid if token else tag.id_tag,
        token=token,
        location_id=state.station.location_id,
        evse_uid=evse_uid,
    )
