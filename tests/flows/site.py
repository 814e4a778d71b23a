"""What an operator sets up before a car can charge: tariff, location, station; and the driver's token."""

import itertools
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.flows.house import House, until
from tests.flows.station import PASSWORD

if TYPE_CHECKING:
    from tests.flows.partner import Partner

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Site:
    """One station with its sockets, each an EVSE of one location; `tag` may charge there."""

    station: str
    location: str
    tariff: str
    tag: str

    def evse(self, connector: int = 1) -> str:
        """The uid of the EVSE that a connector of the station is."""
        return f"{self.location}-{connector}"


def fresh() -> str:
    """A name that no other test uses, in this run or on this database."""
    return f"{os.getpid():X}{next(_numbers):04d}"


def tariff(**prices: Any) -> dict[str, Any]:
    """A tariff: by default 0.40 per kWh, else the given price per dimension; 21 % VAT, steps of one unit."""
    components = [
        {"type": name, "price": price, "vat": 21, "step_size": 1}
        for name, price in (prices or {"ENERGY": 0.40}).items()
    ]
    return {"currency": "EUR", "elements": [{"price_components": components}]}


def connector(tariff_id: str, **changes: Any) -> dict[str, Any]:
    """An AC socket of 22 kW."""
    values = {
        "id": "1",
        "standard": "IEC_62196_T2",
        "format": "SOCKET",
        "power_type": "AC_3_PHASE",
        "max_voltage": 230,
        "max_amperage": 32,
        "tariff_ids": [tariff_id],
    }
    return values | changes


def location(name: str, tariff_id: str, sockets: int = 1) -> dict[str, Any]:
    """A site with one EVSE per socket."""
    evses = [
        {"uid": f"L{name}-{n}", "evse_id": f"NL*VBR*E{name}*{n}", "connectors": [connector(tariff_id)]}
        for n in range(1, sockets + 1)
    ]
    return {
        "publish": True,
        "name": f"Quay {name}",
        "address": "Kade 77",
        "city": "Utrecht",
        "country": "NLD",
        "coordinates": {"latitude": "52.090737", "longitude": "5.121420"},
        "time_zone": "Europe/Amsterdam",
        "evses": evses,
    }


async def set_up(house: House, partner: "Partner | None" = None, *, sockets: int = 1, **prices: Any) -> Site:
    """A site of its own for one test; its driver's token is pushed by the partner, or issued by us.

    With a partner: it knows the location already.
    """
    name = fresh()
    site = Site(station=f"CS{name}", location=f"L{name}", tariff=f"T{name}", tag=f"TAG{name}")
    await house.admin.put(f"tariffs/{site.tariff}", tariff(**prices))
    await house.admin.put(f"locations/{site.location}", location(name, site.tariff, sockets))
    links = [
        {"evse": n, "connector": 1, "evse_uid": site.evse(n), "connector_id": "1"}
        for n in range(1, sockets + 1)
    ]
    wanted = {"location_id": site.location, "connectors": links, "password": PASSWORD}
    await house.admin.put(f"stations/{site.station}", wanted)
    if partner is not None:
        await partner.give_token(site.tag)
        await until(lambda: site.location in partner.ledger.locations)
    else:
        await give_own_token(house, site.tag)
    return site


async def give_own_token(house: House, uid: str, **changes: Any) -> None:
    """A token of our own drivers."""
    values = {
        "type": "RFID",
        "contract_id": f"NL-VBR-{uid}",
        "issuer": "Voltbridge",
        "valid": True,
        "whitelist": "ALLOWED",
    }
    await house.admin.put(f"tokens/{uid}", values | changes)
