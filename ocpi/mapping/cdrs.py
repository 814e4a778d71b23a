"""Charge detail records on the wire (OCPI 2.2.1 mod_cdrs)."""

from app.domain.cdrs import ChargeDetailRecord, SignedData
from app.domain.locations import Place
from ocpi.mapping.amounts import Body, add_present, number, price
from ocpi.mapping.locations import geo_body
from ocpi.mapping.sessions import period_body
from ocpi.mapping.tariffs import tariff_body
from ocpi.mapping.tokens import session_token_body
from ocpi.times import write_time

_ADDRESS_LENGTH = 45
_STATE_LENGTH = 20
_COSTS = ("fixed", "energy", "time", "parking", "reservation")


def cdr_body(cdr: ChargeDetailRecord) -> Body:
    """The whole CDR. Raises ValueError for one without a place, a price or an evse_id: such a CDR is held, never sent."""
    if cdr.place is None or cdr.total_cost is None:
        raise ValueError(f"CDR {cdr.id} has no location or no price")
    if cdr.place.evse.evse_id is None:
        raise ValueError(f"EVSE {cdr.place.evse.uid} of location {cdr.place.location.id} has no evse_id")
    return record_body(cdr)


def record_body(cdr: ChargeDetailRecord) -> Body:
    """As `cdr_body`, for a held one too: what it has not got is left out. For our own operator's eyes."""
    body: Body = {
        "country_code": cdr.country_code,
        "party_id": cdr.party_id,
        "id": cdr.id,
        "start_date_time": write_time(cdr.start_date_time),
        "end_date_time": write_time(cdr.end_date_time),
        "session_id": cdr.session_id,
        "cdr_token": session_token_body(cdr.token),
        "auth_method": str(cdr.auth_method),
    }
    add_present(body, cdr_location=cdr.place and place_body(cdr.place))
    body |= {"currency": cdr.currency, "charging_periods": [period_body(period) for period in cdr.periods]}
    add_present(body, total_cost=cdr.total_cost and price(cdr.total_cost))
    body |= {
        "total_energy": number(cdr.total_energy),
        "total_time": number(cdr.total_time),
    }
    add_present(
        body,
        authorization_reference=cdr.authorization_reference,
        meter_id=cdr.meter_id,
        tariffs=[tariff_body(tariff) for tariff in cdr.tariffs],
        signed_data=cdr.signed_data and _signed_body(cdr.signed_data),
        total_parking_time=None if cdr.total_parking_time is None else number(cdr.total_parking_time),
        remark=cdr.remark,
        credit=cdr.credit,
        credit_reference_id=cdr.credit_reference_id,
        **_costs(cdr),
    )
    return body | {"last_updated": write_time(cdr.last_updated)}


def place_body(place: Place) -> Body:
    """OCPI 2.2.1 mod_cdrs, CdrLocation: address and state are cut to its shorter fields; evse_id only where known."""
    location, evse, connector = place.location, place.evse, place.connector
    body: Body = {"id": location.id}
    add_present(body, name=location.name)
    body |= {"address": location.address[:_ADDRESS_LENGTH].rstrip(), "city": location.city}
    add_present(
        body,
        postal_code=location.postal_code,
        state=location.state and location.state[:_STATE_LENGTH].rstrip(),
    )
    body |= {
        "country": location.country,
        "coordinates": geo_body(location.coordinates),
        "evse_uid": evse.uid,
    }
    add_present(body, evse_id=evse.evse_id)
    return body | {
        "connector_id": connector.id,
        "connector_standard": connector.standard,
        "connector_format": connector.format,
        "connector_power_type": connector.power_type,
    }


def _costs(cdr: ChargeDetailRecord) -> Body:
    named = {f"total_{what}_cost": getattr(cdr, f"total_{what}_cost") for what in _COSTS}
    return {name: None if cost is None else price(cost) for name, cost in named.items()}


def _signed_body(signed: SignedData) -> Body:
    body = add_present({"encoding_method": signed.encoding_method}, public_key=signed.public_key)
    body["signed_values"] = [
        {"nature": each.nature, "plain_data": each.plain_data, "signed_data": each.signed_data}
        for each in signed.signed_values
    ]
    return body
