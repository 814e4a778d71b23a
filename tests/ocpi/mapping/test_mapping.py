"""Domain objects on the wire: valid by the wire's own models, nothing lost on the way back."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from app.domain.cdrs import SignedData, SignedValue
from app.domain.errors import Invalid
from app.domain.parties import Party
from app.domain.sessions import SessionStatus
from app.domain.status import EvseStatus
from app.domain.tariffs import Price, Restrictions, TariffType
from app.domain.tokens import TokenType
from app.store.database.columns import document
from ocpi.errors import InvalidParameterError
from ocpi.mapping.amounts import number
from ocpi.mapping.cdrs import cdr_body
from ocpi.mapping.locations import evse_patch, location_body, location_from
from ocpi.mapping.rendering import render
from ocpi.mapping.sessions import session_body, session_patch
from ocpi.mapping.tariffs import tariff_body, tariff_from
from ocpi.mapping.tokens import token_body, token_from
from ocpi.strict_json import parse_body
from ocpi.wire import cdrs, locations, sessions, tariffs, tokens

OURS = Party("NL", "VBR")
NOW = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC)


def on_the_wire(body):
    """The body as a partner parses it."""
    return parse_body(render(body))


@pytest.mark.parametrize(
    ("kind", "model", "body_of"),
    [
        ("location", locations.Location, location_body),
        ("session", sessions.Session, lambda session: session_body(session, OURS)),
        ("cdr", cdrs.CDR, cdr_body),
        ("tariff", tariffs.Tariff, tariff_body),
    ],
)
def test_what_we_send_is_valid_and_complete(objects, kind, model, body_of):
    body = on_the_wire(body_of(getattr(objects, kind)()))

    read = model.read(body)

    assert read.to_wire() == body
    assert read.model_extra == {}


def test_times_end_in_z_and_have_at_most_milliseconds(objects):
    body = location_body(objects.location(last_updated=NOW))

    assert body["last_updated"] == "2026-11-20T12:00:00.123Z"


@given(st.decimals(min_value=-(10**9), max_value=10**9, allow_nan=False, places=9))
def test_numbers_have_four_decimals_and_no_exponent(amount):
    written = json.loads(render({"n": number(amount)}), parse_float=Decimal, parse_int=Decimal)["n"]

    assert abs(written - amount) <= Decimal("0.00005")
    assert b"E" not in render({"n": number(amount)}).upper().replace(b'"N"', b"")
    assert written == written.quantize(Decimal("0.0001"))


def test_a_session_without_readings_has_no_cost_and_without_a_place_says_so(objects):
    session = objects.session(evse_uid=None, connector_id=None, total_cost=None)

    body = session_body(session, OURS)

    assert "total_cost" not in body
    assert (body["evse_uid"], body["connector_id"]) == ("#NA", "#NA")
    sessions.Session.read(on_the_wire(body))


def test_a_session_is_ours_although_its_token_is_theirs(objects):
    body = session_body(objects.session(country_code="DE", party_id="EMS"), OURS)

    assert (body["country_code"], body["party_id"]) == ("NL", "VBR")
    assert (body["cdr_token"]["country_code"], body["cdr_token"]["party_id"]) == ("DE", "EMS")


def test_a_patch_of_a_session_never_carries_charging_periods(objects):
    session = objects.session(
        status=SessionStatus.COMPLETED,
        end_date_time=NOW,
        total_cost=Price(excl_vat=Decimal("1.23456"), incl_vat=None),
    )

    patch = session_patch(session)

    assert set(patch) == {"status", "kwh", "end_date_time", "total_cost", "auth_method", "last_updated"}
    assert patch["total_cost"] == {"excl_vat": Decimal("1.2346")}


def test_a_patch_of_an_evse_is_status_and_time():
    assert evse_patch(EvseStatus.CHARGING, NOW) == {
        "status": "CHARGING",
        "last_updated": "2026-11-20T12:00:00.123Z",
    }


def test_long_addresses_and_states_are_cut_to_what_a_record_may_hold(objects):
    place = objects.place()
    location = replace(place.location, address="x" * 100, state="y" * 45)
    record = objects.cdr(place=replace(place, location=location))

    body = cdr_body(record)

    assert (len(body["cdr_location"]["address"]), len(body["cdr_location"]["state"])) == (45, 20)
    cdrs.CDR.read(on_the_wire(body))


def test_signed_values_travel_byte_for_byte(objects):
    value = SignedValue(nature="Start", plain_data='OCMF|{"a":1}', signed_data='OCMF|{"a":1}|{"SA":"x"}')
    record = objects.cdr(signed_data=SignedData(encoding_method="OCMF", signed_values=(value,)))

    signed = on_the_wire(cdr_body(record))["signed_data"]

    assert signed["signed_values"][0]["signed_data"] == value.signed_data


@pytest.mark.parametrize("missing", ["place", "evse_id", "total_cost"])
def test_a_record_that_no_partner_could_read_is_not_written(objects, missing):
    place = objects.place()
    changes = {
        "place": {"place": None},
        "evse_id": {"place": replace(place, evse=replace(place.evse, evse_id=None))},
        "total_cost": {"total_cost": None},
    }[missing]

    with pytest.raises(ValueError, match="no"):
        cdr_body(objects.cdr(**changes))


def test_a_location_keeps_what_the_house_does_not_read(wire_object):
    hours = {"twentyfourseven": True}
    mix = {"is_green_energy": True, "energy_sources": [{"source": "SOLAR", "percentage": 62.5}]}
    given_body = wire_object("location", opening_times=hours, energy_mix=mix, x_custom={"a": [1, "b"]})
    given_body["evses"][0]["floor_level"] = "-1"
    given_body["evses"][0]["connectors"][0]["terms_and_conditions"] = "https://terms.example/1"

    parsed = parse_body(json.dumps(given_body).encode())
    location = location_from(parsed, ours=OURS, location_id="quay-77", now=NOW, roaming=True)
    document(location)
    body = on_the_wire(location_body(location))

    assert body["opening_times"] == hours
    assert body["x_custom"] == {"a": [1, "b"]}
    assert body["energy_mix"]["energy_sources"][0]["percentage"] == Decimal("62.5")
    assert body["evses"][0]["floor_level"] == "-1"
    assert body["evses"][0]["connectors"][0]["terms_and_conditions"] == "https://terms.example/1"
    assert body["last_updated"] == "2026-11-20T12:00:00.123Z"


def test_an_operator_need_not_give_what_we_set_ourselves(wire_object):
    body = wire_object("location")
    for name in ("country_code", "party_id", "last_updated", "id"):
        del body[name]
    for part in (body["evses"][0], body["evses"][0]["connectors"][0]):
        del part["last_updated"]
    del body["evses"][0]["status"]

    location = location_from(body, ours=OURS, location_id="L", now=NOW, roaming=False)

    assert (location.country_code, location.party_id, location.id) == ("NL", "VBR", "L")
    assert location.evses[0].status is EvseStatus.UNKNOWN
    assert not location.roaming


@pytest.mark.parametrize(
    "body", [None, [], "x", {"evses": 7}, {"evses": [7]}, {"evses": [{"connectors": {}}]}, {}]
)
def test_what_is_no_location_is_refused(body):
    with pytest.raises(InvalidParameterError):
        location_from(body, ours=OURS, location_id="L", now=NOW, roaming=True)


def test_a_tariff_comes_back_as_it_was(objects):
    restricted = replace(
        objects.tariff().elements[0],
        restrictions=Restrictions(
            start_time="08:00", end_time="18:00", min_kwh=Decimal("1.5"), max_duration=3600
        ),
    )
    tariff = objects.tariff(
        type=TariffType.REGULAR,
        min_price=Price(excl_vat=Decimal(1)),
        max_price=Price(excl_vat=Decimal(9), incl_vat=Decimal("10.89")),
        elements=(restricted, *objects.tariff().elements),
        start_date_time=NOW.replace(microsecond=0),
        details={"tariff_alt_text": [{"language": "nl", "text": "Overdag"}]},
        last_updated=NOW,
    )

    again = tariff_from(on_the_wire(tariff_body(tariff)), ours=OURS, tariff_id="AC-DAY", now=NOW)

    assert again == tariff


def test_a_tariff_that_cannot_be_meant_names_its_field(wire_object):
    body = wire_object("tariff", currency="XXQ")

    with pytest.raises((Invalid, InvalidParameterError)) as refused:
        tariff_from(body, ours=OURS, tariff_id="T", now=NOW)

    assert "currency" in str(refused.value).lower() or "XXQ" in str(refused.value)


def test_a_token_comes_back_as_its_issuer_gave_it(wire_object):
    body = wire_object("token", group_id="G", energy_contract={"supplier_name": "Sun"}, x_custom=1)

    token = token_from(tokens.Token.read(body))

    assert token.type is TokenType.RFID
    assert on_the_wire(token_body(token)) == body
