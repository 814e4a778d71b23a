"""The tables of stations, locations, tokens and tariffs: their columns, as docs/how-to/import.md describes them."""

from enum import StrEnum

from app.admin.bulk.sheets import Column, Kind, Level


class Subject(StrEnum):
    """What can be imported and exported."""

    STATIONS = "stations"
    LOCATIONS = "locations"
    TOKENS = "tokens"
    TARIFFS = "tariffs"


def _same(names: str, kind: Kind = Kind.TEXT) -> list[Column]:
    """Columns that are called as their fields."""
    return [Column(name, (name,), kind) for name in names.split()]


_LOCATION = Level(
    key="id",
    columns=[
        *_same("id"),
        *_same("publish roaming", Kind.FLAG),
        *_same("name address city postal_code state country"),
        Column("latitude", ("coordinates", "latitude")),
        Column("longitude", ("coordinates", "longitude")),
        *_same("time_zone"),
        Column("location_more", (), Kind.REST),
    ],
)
_EVSE = Level(
    name="evses",
    key="evse_uid",
    columns=[
        Column("evse_uid", ("uid",)),
        *_same("evse_id"),
        Column("evse_status", ("status",)),
        *_same("capabilities", Kind.SEVERAL),
        Column("evse_more", (), Kind.REST),
    ],
)
_CONNECTOR = Level(
    name="connectors",
    key="connector_id",
    columns=[
        Column("connector_id", ("id",)),
        *_same("standard format power_type"),
        *_same("max_voltage max_amperage max_electric_power", Kind.WHOLE),
        *_same("tariff_ids", Kind.SEVERAL),
        Column("connector_more", (), Kind.REST),
    ],
)
_STATION = Level(
    key="id",
    columns=[*_same("id location_id"), *_same("security_profile", Kind.WHOLE), *_same("password uid_order")],
)
_LINK = Level(
    name="connectors", columns=[*_same("evse connector", Kind.WHOLE), *_same("evse_uid connector_id")]
)
_TOKEN = Level(
    columns=[
        *_same("uid type contract_id issuer"),
        *_same("valid", Kind.FLAG),
        *_same("whitelist visual_number group_id language expires_at"),
        Column("more", (), Kind.REST),
    ],
)
_TARIFF = Level(
    key="id",
    columns=[
        *_same("id currency type"),
        *(
            Column(f"{name}_{vat}", (name, vat), Kind.NUMBER)
            for name in ("min_price", "max_price")
            for vat in ("excl_vat", "incl_vat")
        ),
        *_same("start_date_time end_date_time"),
        Column("tariff_more", (), Kind.REST),
    ],
)
_ELEMENT = Level(
    name="elements",
    key="element",
    hidden="element",
    columns=[
        Column("element", ("element",), Kind.WHOLE),
        *(
            Column(name, ("restrictions", name))
            for name in ("start_time", "end_time", "start_date", "end_date")
        ),
        *(
            Column(f"{end}_{what}", ("restrictions", f"{end}_{what}"), Kind.NUMBER)
            for what in ("kwh", "current", "power")
            for end in ("min", "max")
        ),
        *(Column(name, ("restrictions", name), Kind.WHOLE) for name in ("min_duration", "max_duration")),
        Column("day_of_week", ("restrictions", "day_of_week"), Kind.SEVERAL),
        Column("reservation", ("restrictions", "reservation")),
    ],
)
_COMPONENT = Level(
    name="price_components",
    columns=[
        Column("component", ("type",)),
        *_same("price vat", Kind.NUMBER),
        *_same("step_size", Kind.WHOLE),
    ],
)

TABLES: dict[Subject, tuple[Level, ...]] = {
    Subject.STATIONS: (_STATION, _LINK),
    Subject.LOCATIONS: (_LOCATION, _EVSE, _CONNECTOR),
    Subject.TOKENS: (_TOKEN,),
    Subject.TARIFFS: (_TARIFF, _ELEMENT, _COMPONENT),
}
SET_BY_US = frozenset({"country_code", "party_id", "last_updated", "warnings"})
"""What our own answers hold and nobody has to give."""
