"""Charging sessions on the wire (OCPI 2.2.1 mod_sessions)."""

from app.domain.parties import Party
from app.domain.sessions import ChargingPeriod, ChargingSession
from ocpi.mapping.amounts import Body, add_present, number, price
from ocpi.mapping.tokens import session_token_body
from ocpi.times import write_time

UNASSIGNED = "#NA"
"""What a required id says where the thing cannot exist yet."""


def session_body(session: ChargingSession, ours: Party) -> Body:
    """The whole Session, charging periods included."""
    body: Body = {
        "country_code": ours.country_code,
        "party_id": ours.party_id,
        "id": session.id,
        "start_date_time": write_time(session.start_date_time),
        "cdr_token": session_token_body(session.token),
        "location_id": session.location_id or UNASSIGNED,
        "evse_uid": session.evse_uid or UNASSIGNED,
        "connector_id": session.connector_id or UNASSIGNED,
        "currency": session.currency,
    }
    add_present(
        body, meter_id=session.meter_id, charging_periods=[period_body(period) for period in session.periods]
    )
    return body | session_patch(session)


def session_patch(session: ChargingSession) -> Body:
    """What may change without new charging periods; never the periods, which receivers would append."""
    body: Body = {"status": str(session.status), "kwh": number(session.kwh)}
    add_present(
        body,
        end_date_time=session.end_date_time and write_time(session.end_date_time),
        total_cost=session.total_cost and price(session.total_cost),
        authorization_reference=session.authorization_reference,
    )
    return body | {
        "auth_method": str(session.auth_method),
        "last_updated": write_time(session.last_updated),
    }


def period_body(period: ChargingPeriod) -> Body:
    """OCPI 2.2.1 mod_cdrs, ChargingPeriod: kWh and hours."""
    return add_present(
        {
            "start_date_time": write_time(period.start),
            "dimensions": [{"type": each.type, "volume": number(each.volume)} for each in period.dimensions],
        },
        tariff_id=period.tariff_id,
    )
