"""The wire models: what is read, what is refused, and what is written."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

import pytest

from ocpi.errors import InvalidParameterError
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.strict_json import parse_body
from ocpi.wire.base import WireModel, render
from ocpi.wire.cdrs import CDR, CdrLocation, SignedData
from ocpi.wire.credentials import Credentials
from ocpi.wire.locations import EVSE, Capability, Connector, Hours, Location, PublishToken
from ocpi.wire.sessions import Session
from ocpi.wire.tariffs import PriceComponent, Tariff, TariffRestrictions
from ocpi.wire.tokens import AuthorizationInfo, Token
from ocpi.wire.types import Image, Price
from ocpi.wire.versions import VersionDetails, VersionEntry

Build = Callable[..., dict[str, Any]]

MODELS: dict[str, type[WireModel]] = {
    "token": Token,
    "location": Location,
    "evse": EVSE,
    "connector": Connector,
    "session": Session,
    "tariff": Tariff,
    "cdr": CDR,
    "credentials": Credentials,
}


def written(model: WireModel) -> Any:
    return json.loads(render(model))


@pytest.mark.parametrize("kind", MODELS)
def test_what_is_read_is_what_is_written(kind: str, wire_object: Build) -> None:
    sent = wire_object(kind)
    assert written(MODELS[kind].read(sent)) == sent


@pytest.mark.parametrize("kind", MODELS)
def test_unknown_fields_are_kept(kind: str, wire_object: Build) -> None:
    extra = {"x_vendor": {"depth": [1, {"a": Decimal("0.10")}]}}
    kept = written(MODELS[kind].read(wire_object(kind) | extra))
    assert kept["x_vendor"] == {"depth": [1, {"a": 0.1}]}


@pytest.mark.parametrize("kind", MODELS)
def test_each_required_field_is_required(kind: str, wire_object: Build) -> None:
    model = MODELS[kind]
    for name, field in model.model_fields.items():
        if field.is_required():
            for broken in (None, [], {}):
                with pytest.raises(InvalidParameterError, match=name):
                    model.read(wire_object(kind, **{name: broken}))
            without = wire_object(kind)
            del without[name]
            with pytest.raises(InvalidParameterError, match=name):
                model.read(without)


@pytest.mark.parametrize("kind", MODELS)
def test_null_empty_and_absent_are_the_same_for_optional_fields(kind: str, wire_object: Build) -> None:
    model = MODELS[kind]
    optional = [name for name, field in model.model_fields.items() if not field.is_required()]
    bare = {name: value for name, value in wire_object(kind).items() if name not in optional}
    for nothing in (None, [], ""):
        assert written(model.read(bare | dict.fromkeys(optional, nothing))) == bare


# Facts that copies of the specification get wrong most often: object, field, longest value that fits.
LENGTHS = [
    (Location, "location", "address", 255),
    (Location, "location", "city", 45),
    (Location, "location", "state", 45),
    (Location, "location", "postal_code", 10),
    (Location, "location", "id", 36),
    (EVSE, "evse", "evse_id", 48),
    (EVSE, "evse", "floor_level", 4),
    (EVSE, "evse", "physical_reference", 16),
    (Session, "session", "meter_id", 255),
    (Session, "session", "authorization_reference", 36),
    (CDR, "cdr", "id", 36),
    (CDR, "cdr", "invoice_reference_id", 39),
    (CDR, "cdr", "credit_reference_id", 39),
    (CDR, "cdr", "remark", 255),
    (Token, "token", "uid", 36),
    (Token, "token", "visual_number", 64),
    (Token, "token", "issuer", 64),
    (Token, "token", "group_id", 36),
    (Credentials, "credentials", "token", 64),
    (Credentials, "credentials", "url", 255),
    (Tariff, "tariff", "tariff_alt_url", 255),
]


@pytest.mark.parametrize(("model", "kind", "field", "longest"), LENGTHS)
def test_lengths(model: type[WireModel], kind: str, field: str, longest: int, wire_object: Build) -> None:
    assert model.read(wire_object(kind, **{field: "a" * longest}))
    with pytest.raises(InvalidParameterError, match=field):
        model.read(wire_object(kind, **{field: "a" * (longest + 1)}))


def test_the_location_of_a_cdr_is_narrower(wire_object: Build) -> None:
    place = wire_object("cdr")["cdr_location"]
    for field, longest in (("address", 45), ("state", 20), ("evse_id", 48)):
        assert CdrLocation.read(place | {field: "a" * longest})
        with pytest.raises(InvalidParameterError, match=field):
            CdrLocation.read(place | {field: "a" * (longest + 1)})
    with pytest.raises(InvalidParameterError, match="evse_id"):
        CdrLocation.read(place | {"evse_id": None})


@pytest.mark.parametrize("value", ["true", "false", 1, 0, "1", Decimal(1)])
def test_booleans_are_booleans(value: object, wire_object: Build) -> None:
    with pytest.raises(InvalidParameterError, match="valid"):
        Token.read(wire_object("token", valid=value))


@pytest.mark.parametrize("value", ["0.5", True, {}, [1], "NaN", 10**12, Decimal("1e400")])
def test_numbers_are_numbers(value: object, wire_object: Build) -> None:
    with pytest.raises(InvalidParameterError, match="kwh"):
        Session.read(wire_object("session", kwh=value))


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("0.1", b"0.1"),
        ("0.25000", b"0.25"),
        ("0.00005", b"0.0001"),
        ("0.00004999", b"0"),
        ("-0.00004", b"0"),
        ("12.30", b"12.3"),
        ("100", b"100"),
        ("1E+2", b"100"),
        ("999999999999.99994", b"999999999999.9999"),
        ("-7.125", b"-7.125"),
    ],
)
def test_numbers_are_written_plain_with_at_most_four_decimals(number: str, text: bytes) -> None:
    assert render(Price(excl_vat=Decimal(number))) == b'{"excl_vat":' + text + b"}"


def test_money_goes_through_exactly() -> None:
    price = Price.read(parse_body(b'{"excl_vat": 0.1, "incl_vat": 0.30}'))
    assert (price.excl_vat, price.incl_vat) == (Decimal("0.1"), Decimal("0.30"))


@pytest.mark.parametrize("value", [1769860800, "1769860800", "2026-01-31", True, "now"])
def test_moments_are_moments(value: object, wire_object: Build) -> None:
    with pytest.raises(InvalidParameterError, match="last_updated"):
        Token.read(wire_object("token", last_updated=value))


def test_moments_are_read_with_any_offset_and_written_with_z(wire_object: Build) -> None:
    token = Token.read(wire_object("token", last_updated="2026-03-01T12:00:00.1234567+02:00"))
    assert token.last_updated == datetime(2026, 3, 1, 10, 0, 0, 123456, tzinfo=UTC)
    assert written(token)["last_updated"] == "2026-03-01T10:00:00.123Z"


@pytest.mark.parametrize("value", ["a\0b", "line\nfeed", "\x7f", "\x85", "\ud800"])
def test_texts_hold_no_control_characters(value: str, wire_object: Build) -> None:
    with pytest.raises(InvalidParameterError, match="name"):
        Location.read(wire_object("location", name=value))


@pytest.mark.parametrize("value", ["Straße", "a\tb", "\U0001f697"])
def test_identifiers_are_printable_ascii(value: str, wire_object: Build) -> None:
    with pytest.raises(InvalidParameterError, match="id"):
        Location.read(wire_object("location", id=value))
    assert Location.read(wire_object("location", name="Straße \U0001f697")).name == "Straße \U0001f697"


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("evse", "status", "OUT_OF_ORDER"),
        ("evse", "status", "available"),
        ("session", "status", "RESERVED"),
        ("session", "auth_method", "LOCAL"),
        ("token", "type", "rfid"),
        ("token", "whitelist", "SOMETIMES"),
        ("connector", "standard", "IEC_60309_2_SINGLE_16"),
        ("connector", "power_type", "AC_4_PHASE"),
        ("tariff", "type", "PROFILE_REGULAR"),
        ("location", "country", "NL"),
        ("location", "country_code", "NLD"),
        ("session", "currency", "eur"),
    ],
)
def test_words_that_do_not_exist_are_refused(kind: str, field: str, value: str, wire_object: Build) -> None:
    with pytest.raises(InvalidParameterError, match=field):
        MODELS[kind].read(wire_object(kind, **{field: value}))


def test_lists_of_words_keep_those_we_do_not_know(wire_object: Build) -> None:
    evse = EVSE.read(wire_object("evse", capabilities=["RFID_READER", "HOVERCRAFT_LIFT"]))
    assert Capability.RFID_READER in evse.capabilities
    assert written(evse)["capabilities"] == ["RFID_READER", "HOVERCRAFT_LIFT"]


@pytest.mark.parametrize(
    "coordinates",
    [
        {"latitude": 52.090737, "longitude": "5.121420"},
        {"latitude": "52.09", "longitude": "5.121420"},
        {"latitude": "152.090737", "longitude": "5.121420"},
        {"latitude": "52,090737", "longitude": "5.121420"},
    ],
)
def test_coordinates_are_texts_with_decimals(coordinates: dict[str, Any], wire_object: Build) -> None:
    with pytest.raises(InvalidParameterError, match=r"coordinates\.latitude"):
        Location.read(wire_object("location", coordinates=coordinates))


def test_a_publish_token_must_name_somebody() -> None:
    assert PublishToken.read({"group_id": "fleet"})
    assert PublishToken.read({"uid": "04AB", "type": "RFID"})
    for lacking in ({}, {"type": "RFID"}, {"uid": "04AB"}, {"visual_number": "77"}):
        with pytest.raises(InvalidParameterError):
            PublishToken.read(lacking)


def test_hours_that_are_never_open_are_refused() -> None:
    assert Hours.read({"twentyfourseven": True})
    with pytest.raises(InvalidParameterError, match="regular_hours"):
        Hours.read({"twentyfourseven": False, "regular_hours": []})
    with pytest.raises(InvalidParameterError, match="weekday"):
        Hours.read(
            {
                "twentyfourseven": False,
                "regular_hours": [{"weekday": 0, "period_begin": "08:00", "period_end": "18:00"}],
            }
        )


def test_a_credit_cdr_names_what_it_credits_and_may_have_a_longer_id(wire_object: Build) -> None:
    longest = "C" * 39
    assert CDR.read(wire_object("cdr", id=longest, credit=True, credit_reference_id="C-1001"))
    with pytest.raises(InvalidParameterError, match="36"):
        CDR.read(wire_object("cdr", id=longest))
    with pytest.raises(InvalidParameterError, match="credit_reference_id"):
        CDR.read(wire_object("cdr", id="C-2", credit=True))


def test_what_only_sessions_report_must_not_reach_a_cdr(wire_object: Build) -> None:
    periods = wire_object("session")["charging_periods"]
    periods[0]["dimensions"].append({"type": "STATE_OF_CHARGE", "volume": 55})
    assert Session.read(wire_object("session", charging_periods=periods))
    with pytest.raises(InvalidParameterError, match="only sessions"):
        CDR.read(wire_object("cdr", charging_periods=periods))


def test_signed_values_are_kept_byte_for_byte() -> None:
    signed = {
        "encoding_method": "OCMF",
        "public_key": "-----BEGIN KEY-----\r\nMFk\r\n",
        "signed_values": [{"nature": "End", "plain_data": "<a>\n\t</a>", "signed_data": "x" * 5000}],
    }
    assert written(SignedData.read(signed)) == signed


def test_whole_numbers_may_be_written_with_a_fraction_of_zero() -> None:
    component = {"type": "TIME", "price": 2, "step_size": Decimal("300.0")}
    assert PriceComponent.read(component).step_size == 300
    for broken in (Decimal("0.5"), "300", True, -1, 2**31):
        with pytest.raises(InvalidParameterError, match="step_size"):
            PriceComponent.read(component | {"step_size": broken})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("start_time", "24:00"),
        ("end_time", "8:00"),
        ("start_date", "2026-13-01"),
        ("day_of_week", ["Monday"]),
    ],
)
def test_restrictions_are_well_formed(field: str, value: object) -> None:
    with pytest.raises(InvalidParameterError, match=field):
        TariffRestrictions.read({field: value})


def test_the_size_of_an_image_has_five_digits() -> None:
    image = {"url": "https://ems.example/logo.png", "category": "OPERATOR", "type": "png", "width": 99999}
    assert written(Image.read(image)) == image
    with pytest.raises(InvalidParameterError, match="width"):
        Image.read(image | {"width": 100_000})


def test_authorization_names_the_token(wire_object: Build) -> None:
    with pytest.raises(InvalidParameterError, match="token"):
        AuthorizationInfo.read({"allowed": "ALLOWED"})
    assert AuthorizationInfo.read({"allowed": "NO_CREDIT", "token": wire_object("token")})


def test_a_party_appears_once_in_each_role(wire_object: Build) -> None:
    role = wire_object("credentials")["roles"][0]
    with pytest.raises(InvalidParameterError, match="twice"):
        Credentials.read(wire_object("credentials", roles=[role, role | {"party_id": "ems"}]))
    assert Credentials.read(wire_object("credentials", roles=[role, role | {"role": "NSP"}]))


def test_credentials_do_not_show_their_token(wire_object: Build) -> None:
    assert "a-token-of-the-tests" not in repr(Credentials.read(wire_object("credentials")))
    with pytest.raises(InvalidParameterError) as refused:
        Credentials.read(wire_object("credentials", token="a secret with spaces"))
    assert "a secret" not in refused.value.message


def test_endpoints_are_found_by_module_and_role() -> None:
    details = VersionDetails.read(
        {
            "version": "2.2.1",
            "endpoints": [
                {"identifier": "credentials", "url": "https://x.example/c"},
                {"identifier": "tokens", "role": "SENDER", "url": "https://x.example/s"},
                {"identifier": "tokens", "role": "RECEIVER", "url": "https://x.example/r"},
                {"identifier": "nltnm-custom", "role": "RECEIVER", "url": "https://x.example/own"},
            ],
        }
    )
    assert details.url_of(ModuleId.TOKENS, InterfaceRole.RECEIVER) == "https://x.example/r"
    assert details.url_of(ModuleId.CREDENTIALS, InterfaceRole.RECEIVER) == "https://x.example/c"
    assert details.url_of(ModuleId.CDRS, InterfaceRole.RECEIVER) is None
    with pytest.raises(InvalidParameterError, match="role"):
        VersionDetails.read(
            {"version": "2.2.1", "endpoints": [{"identifier": "cdrs", "url": "https://x.example"}]}
        )


def test_versions_newer_than_ours_are_read() -> None:
    assert VersionEntry.read({"version": "3.0", "url": "https://x.example/3.0"}).version == "3.0"


@pytest.mark.parametrize("value", [None, [], "text", 7])
def test_what_is_no_object_is_refused(value: object) -> None:
    with pytest.raises(InvalidParameterError):
        Token.read(value)


def test_complaints_name_fields_and_stay_short() -> None:
    with pytest.raises(InvalidParameterError) as refused:
        CDR.read({"id": "x" * 1000})
    assert "country_code" in refused.value.message
    assert "more" in refused.value.message
    assert len(refused.value.message) < 500


@pytest.mark.parametrize("mode", ["validation", "serialization"])
def test_schemas_say_number_and_date_time(mode: Literal["validation", "serialization"]) -> None:
    fields = Session.model_json_schema(mode=mode)["properties"]
    assert fields["kwh"]["type"] == "number"
    assert (fields["last_updated"]["type"], fields["last_updated"]["format"]) == ("string", "date-time")
    assert fields["charging_periods"]["type"] == "array"
