"""What the demo world consists of, as data: sites, stations, tariffs, cards."""

from dataclasses import dataclass
from typing import Any

from ocpp_bridge.simulator.scenario import (
    CCS_50,
    CCS_150,
    CCS_300,
    CHADEMO_50,
    TYPE2_11,
    TYPE2_22,
    TYPE2_ONE_PHASE,
    ChargeProfile,
)

EMSP = ("DE", "EMS")
EMSP_NAME = "Elbe Mobility"
GUEST_NAME = "Your own system"
CARDS = tuple(f"04{n:02X}5AB3{n * 37 % 256:02X}6C80" for n in range(1, 13))
BLOCKED_CARD = "04FF5AB3006C80"
DRIVER = "3f1d6c52-8a94-4e07-b7a1-5c90d2e4f681"
"""Whoever uses the eMSP's app: a token as long as OCPI allows, and too long for OCPP 1.6."""

NEWCOMER = "DEMO-NEW-1"
"""A station that nobody has set up: it knocks, and waits in the operator's inbox."""

FREE = "DEMO-AMS-3"
"""A station without traffic: it waits for the driver's app, and is the first to tell of its past."""

PAST_OF_BLOCKED_CARD = "DEMO-UTR-1"
"""Here the blocked card was used while the station was offline: that record is held."""

PAST_OF_CHANGED_METER = "DEMO-BER-2"
"""Here a meter was changed while a car charged: that record is held."""

BROKEN_LOCK = "DEMO-RTM-2"
"""Here a connector cannot hold the plug."""

OFFLINE = "DEMO-BER-2"
"""This station loses its network for a while, and tells afterwards what it did meanwhile."""


@dataclass(frozen=True, slots=True)
class Site:
    """One location; its tariff depends on the country, and for each EVSE on AC or DC."""

    id: str
    name: str
    address: str
    city: str
    postal_code: str
    country: str
    latitude: str
    longitude: str
    stations: tuple["Post", ...]

    @property
    def time_zone(self) -> str:
        """Where its clocks hang."""
        return "Europe/Amsterdam" if self.country == "NLD" else "Europe/Berlin"


@dataclass(frozen=True, slots=True)
class Post:
    """One station: its id and the profiles of its connectors. `dual`: one car at a time, whichever plug it takes."""

    id: str
    connectors: tuple[ChargeProfile, ...]
    dual: bool = False
    signed: bool = False


def _posts(prefix: str, *kinds: tuple[ChargeProfile, ...]) -> tuple[Post, ...]:
    return tuple(Post(f"{prefix}-{n}", connectors) for n, connectors in enumerate(kinds, 1))


SITES = (
    Site(
        "DEMO-AMS", "Amsterdam Zuidas", "Gustav Mahlerplein 12", "Amsterdam", "1082 MA", "NLD", "52.33810",
        "4.87340", _posts("DEMO-AMS", (TYPE2_22, TYPE2_22), (TYPE2_11, TYPE2_11), (TYPE2_22,)),
    ),
    Site(
        "DEMO-UTR", "Utrecht Jaarbeurs", "Croeselaan 1", "Utrecht", "3521 BJ", "NLD", "52.08690", "5.10570",
        (*_posts("DEMO-UTR", (TYPE2_11, TYPE2_11), (CCS_150,)), Post("DEMO-UTR-3", (CCS_50, CHADEMO_50), dual=True)),
    ),
    Site(
        "DEMO-RTM", "Rotterdam Markthal", "Binnenrotte 104", "Rotterdam", "3011 HH", "NLD", "51.92000", "4.48680",
        _posts("DEMO-RTM", (TYPE2_22, TYPE2_22), (TYPE2_ONE_PHASE,)),
    ),
    Site(
        "DEMO-EIN", "Eindhoven Strijp", "Torenallee 20", "Eindhoven", "5617 BC", "NLD", "51.44760", "5.45690",
        _posts("DEMO-EIN", (TYPE2_11,), (CCS_300,)),
    ),
    Site(
        "DEMO-HAM", "Hamburg HafenCity", "Am Sandtorkai 44", "Hamburg", "20457", "DEU", "53.54330", "9.99140",
        (*_posts("DEMO-HAM", (TYPE2_22, TYPE2_22), (CCS_150,)), Post("DEMO-HAM-3", (TYPE2_11,), signed=True)),
    ),
    Site(
        "DEMO-BER", "Berlin Ostkreuz", "Hauptstrasse 9", "Berlin", "10317", "DEU", "52.50310", "13.47020",
        _posts("DEMO-BER", (TYPE2_22,), (TYPE2_11, TYPE2_11), (CCS_50,)),
    ),
    Site(
        "DEMO-CGN", "Koeln Autobahnkreuz Sued", "Militaerringstrasse 2", "Koeln", "50996", "DEU", "50.88690",
        "6.96250", _posts("DEMO-CGN", (CCS_300,), (CCS_300,), (TYPE2_22,)),
    ),
    Site(
        "DEMO-MUC", "Muenchen Messe", "Am Messesee 2", "Muenchen", "81829", "DEU", "48.13560", "11.69250",
        _posts("DEMO-MUC", (TYPE2_22, TYPE2_22)),
    ),
)  # fmt: skip


def tariffs() -> dict[str, dict[str, Any]]:
    """Tariffs by id, as OCPI has them: per country the VAT, per kind of current prices, fees and hours."""
    return {
        f"DEMO-{country}-{current}": {
            "id": f"DEMO-{country}-{current}",
            "currency": "EUR",
            "elements": elements,
        }
        for country, vat, ac, dc in (("NL", 21, 0.39, 0.59), ("DE", 19, 0.45, 0.64))
        for current, elements in (("AC", _ac(ac, vat)), ("DC", _dc(dc, vat)))
    }


def _ac(day: float, vat: int) -> list[dict[str, Any]]:
    """Cheaper from 22 to 6 o'clock, when a full car may stay for nothing; by day it pays for the place."""
    night = {"start_time": "22:00", "end_time": "06:00"}
    return [
        {"price_components": [_price("ENERGY", round(day - 0.1, 2), vat)], "restrictions": night},
        {"price_components": [_price("ENERGY", day, vat), _price("PARKING_TIME", 2.4, vat, 60)]},
    ]


def _dc(energy: float, vat: int) -> list[dict[str, Any]]:
    """A fee for the start, energy, and a fee for a full car that stays, at any hour."""
    components = [
        _price("FLAT", 0.5, vat),
        _price("ENERGY", energy, vat),
        _price("PARKING_TIME", 6.0, vat, 60),
    ]
    return [{"price_components": components}]


def _price(kind: str, price: float, vat: int, step: int = 1) -> dict[str, Any]:
    return {"type": kind, "price": price, "vat": vat, "step_size": step}


def location(site: Site) -> dict[str, Any]:
    """A site as an OCPI Location."""
    evses = [evse for post in site.stations for evse in _evses(site, post)]
    return {
        "id": site.id,
        "publish": True,
        "name": site.name,
        "address": site.address,
        "city": site.city,
        "postal_code": site.postal_code,
        "country": site.country,
        "coordinates": {"latitude": site.latitude, "longitude": site.longitude},
        "time_zone": site.time_zone,
        "parking_type": "PARKING_LOT",
        "opening_times": {"twentyfourseven": True},
        "evses": evses,
    }


def station(site: Site, post: Post, password: str) -> dict[str, Any]:
    """A station with its connectors as EVSEs of its site."""
    return {
        "location_id": site.id,
        "connectors": [
            {"evse": n, "connector": 1, "evse_uid": _uid(post, n), "connector_id": str(n if post.dual else 1)}
            for n in range(1, len(post.connectors) + 1)
        ],
        "password": password,
    }


def _uid(post: Post, number: int) -> str:
    return f"{post.id}-E{1 if post.dual else number}"


def _evses(site: Site, post: Post) -> list[dict[str, Any]]:
    connectors = [_connector(site, post, n, kind) for n, kind in enumerate(post.connectors, 1)]
    if post.dual:
        return [_evse(site, _uid(post, 1), connectors)]
    return [_evse(site, _uid(post, n), [connector]) for n, connector in enumerate(connectors, 1)]


def _evse(site: Site, uid: str, connectors: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "uid": uid,
        "evse_id": f"{site.country[:2]}*VBR*E{uid.replace('-', '')}",
        "status": "UNKNOWN",
        "capabilities": ["RFID_READER", "REMOTE_START_STOP_CAPABLE", "UNLOCK_CAPABLE", "RESERVABLE"],
        "connectors": connectors,
    }


def _connector(site: Site, post: Post, number: int, kind: ChargeProfile) -> dict[str, Any]:
    country = "NL" if site.country == "NLD" else "DE"
    return {
        "id": str(number if post.dual else 1),
        "standard": kind.standard,
        "format": "CABLE" if kind.direct_current else "SOCKET",
        "power_type": "DC" if kind.direct_current else f"AC_{kind.phases}_PHASE",
        "max_voltage": int(kind.voltage),
        "max_amperage": round(kind.max_kw * 1000 / kind.voltage / kind.phases),
        "max_electric_power": int(kind.max_kw * 1000),
        "tariff_ids": [f"DEMO-{country}-{'DC' if kind.direct_current else 'AC'}"],
    }
