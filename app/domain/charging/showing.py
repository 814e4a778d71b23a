"""What drivers see of each EVSE, from what a station says of its connectors."""

from app.domain.charging.state import Situation, StationState
from app.domain.events import EvseStatusChanged
from app.domain.status import ConnectorStatus, EvseStatus, evse_status

_WHOLE_STATION = (ConnectorStatus.UNAVAILABLE, ConnectorStatus.FAULTED)


def show(s: Situation) -> None:
    """Work out what drivers see of each EVSE, and announce what changed."""
    location_id = s.state.station.location_id
    if location_id is None:
        return
    for uid in dict.fromkeys(link.evse_uid for link in s.state.station.connectors):
        status = _seen(s.state, uid)
        if status is None or s.state.shown.get(uid) is status:
            continue
        s.state.shown[uid] = status
        s.changes.evses.append((location_id, uid, status))
        s.changes.events.append(EvseStatusChanged(location_id=location_id, evse_uid=uid, at=s.now))


def _seen(state: StationState, uid: str) -> EvseStatus | None:
    """Status of an EVSE; None where no connector of it has ever reported."""
    if state.lost_at is not None:
        return EvseStatus.UNKNOWN
    whole = state.connectors.get((0, 0))
    reports = []
    for link in state.station.connectors:
        own = state.connectors.get((link.evse, link.connector))
        if link.evse_uid != uid:
            continue
        if whole is not None and whole.status in _WHOLE_STATION and (own is None or whole.at > own.at):
            own = whole
        if own is not None:
            reports.append((own.status, own.error_code))
    return evse_status(reports) if reports else None
