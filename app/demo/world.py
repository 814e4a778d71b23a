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
    """Tariffs by id, as OCPI has them: per country the VAT, per kind of current the price."""
    return {
        f"DEMO-{country}-{current}": _tariff(f"DEMO-{country}-{current}", energy, vat, start_fee)
        for country, vat in (("NL", 21), ("DE", 19))
        for current, energy, start_fee in (("AC", 0.39 if country == "NL" else 0.45, None), ("DC", 0.59, 0.5))
    }


def _tariff(tariff_id: str, energy: float, vat: int, start_fee: float | None) -> dict[str, Any]:
    components = [{"type": "ENERGY", "price": energy, "vat": vat, "step_size": 1}]
    if start_fee is not None:
        components.append({"type": "FLAT", "price": start_fee, "vat": vat, "step_size": 1})
        components.append({"type": "PARKING_TIME", "price": 6.0, "vat": vat, "step_size": 60})
    return {"id": tariff_id, "currency": "EUR", "elements": [{"price_components": components}]}


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
        "capabilities": ["RFID_READER", "REMOTE_START_STOP_CAPABLE", "UNLOCK_CAPABLE"],
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
