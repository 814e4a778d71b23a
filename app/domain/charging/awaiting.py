"""Sessions whose start is awaited: PENDING from the station's word until its transaction, INVALID if none comes."""

from datetime import datetime

from msgspec.structs import replace

from app.domain.authorization import Grant
from app.domain.charging.starts import session_of, snapshot_of
from app.domain.charging.state import Situation
from app.domain.events import SessionChanged
from app.domain.locations import Place
from app.domain.parties import Party
from app.domain.sessions import AuthMethod, ChargingSession, SessionStatus
from app.domain.stations import Acknowledged, StartAwaited, StartOverdue


def await_start(s: Situation, report: StartAwaited) -> Acknowledged:
    """The station agreed to start: partners see the session from now on, unless it has begun already."""
    grant = report.grant
    if grant.session_id is None or _begun(s, grant.session_id) or grant.session_id in s.known.sessions:
        return Acknowledged()
    where = _expected_at(s, grant)
    snapshot = snapshot_of(s, where, s.now, grant.token, id_tag=report.id_tag)
    session = session_of(
        s,
        snapshot,
        s.now,
        session_id=grant.session_id,
        status=SessionStatus.PENDING,
        method=AuthMethod.COMMAND,
        reference=grant.reference,
    )
    if session.location_id is None and s.state.station.location_id is not None:
        session = replace(session, location_id=s.state.station.location_id, evse_uid=report.evse_uid)
    s.changes.awaited.append((session, snapshot))
    _tell(s, session, s.now)
    return Acknowledged()


def give_up(s: Situation, report: StartOverdue) -> Acknowledged:
    """No transaction followed in time. A start that comes after all revives the session."""
    stored = s.known.sessions.get(report.session_id)
    if stored is None or stored.ref is not None or _begun(s, report.session_id):
        return Acknowledged()
    if stored.session.status is not SessionStatus.PENDING:
        return Acknowledged()
    session = replace(stored.session, status=SessionStatus.INVALID, end_date_time=s.now, last_updated=s.now)
    s.changes.awaited.append((session, stored.snapshot))
    _tell(s, session, s.now)
    return Acknowledged()


def _begun(s: Situation, session_id: str) -> bool:
    every = (*s.state.running.values(), *s.state.ended.values())
    return any(running.session.id == session_id for running in every)


def _expected_at(s: Situation, grant: Grant) -> Place | None:
    """Where the car will charge, as far as the command or the station leaves no doubt."""
    links = [link for link in s.state.station.connectors if grant.evse in (None, link.evse)]
    return s.known.place(s.state, links[0].evse, links[0].connector) if len(links) == 1 else None


def _tell(s: Situation, session: ChargingSession, at: datetime) -> None:
    if session.published:
        owner = Party(session.token.country_code, session.token.party_id)
        s.changes.events.append(SessionChanged(session_id=session.id, owner=owner, whole=True, at=at))
