"""Who is behind the hub in the demo, as data: two CPOs, two eMSPs, what they have and whom they deal with."""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from ocpi.modules import InterfaceRole, ModuleId
from ocpi.times import write_time

_CENT = Decimal("0.01")
_VAT = Decimal("1.21")

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A party; `price` per kWh is that of a CPO."""

    country: str
    party: str
    title: str
    price: Decimal | None = None

    @property
    def is_cpo(self) -> bool:
        """Whether it has stations, and not drivers."""
        return self.price is not None

    @property
    def name(self) -> str:
        """Country and party id."""
        return f"{self.country}-{self.party}"


TELLER = Neighbour("BE", "SCH", "Schelde Charging", Decimal("0.45"))
"""It tells everybody what it has."""

CARELESS = Neighbour("LU", "MOS", "Moselle Power", Decimal("0.40"))
"""It tells nobody, so the hub reads its lists; and it reckons wrong now and then."""

TRAVELLERS = Neighbour("FR", "LMN", "Lumen Drive")
LOCALS = Neighbour("AT", "DON", "Donau Mobil")
NEIGHBOURS = (TELLER, CARELESS, TRAVELLERS, LOCALS)

AGREEMENTS = (
    (TELLER.name, TRAVELLERS.name),
    (TELLER.name, LOCALS.name),
    (CARELESS.name, TRAVELLERS.name),
)
PAIRS = ((TELLER, TRAVELLERS), (CARELESS, TRAVELLERS), (TELLER, LOCALS), (CARELESS, TRAVELLERS))
"""Whose drivers charge where, in turn."""

_S, _R = InterfaceRole.SENDER, InterfaceRole.RECEIVER
INTERFACES = {
    True: (
        (ModuleId.LOCATIONS, _S), (ModuleId.TARIFFS, _S), (ModuleId.TOKENS, _R), (ModuleId.COMMANDS, _R),
    ),
    False: (
        (ModuleId.TOKENS, _S), (ModuleId.COMMANDS, _S), (ModuleId.LOCATIONS, _R), (ModuleId.TARIFFS, _R),
        (ModuleId.SESSIONS, _R), (ModuleId.CDRS, _R),
    ),
}  # fmt: skip
"""By whether it is a CPO."""


def location_id(cpo: Neighbour) -> str:
    """The one location that it has."""
    return f"DEMO-{cpo.party}-1"


def tariff(cpo: Neighbour, now: datetime) -> Body:
    """One price for energy, with VAT on top."""
    component = {"type": "ENERGY", "price": cpo.price, "vat": 21, "step_size": 1}
    return _owned(cpo, now) | {
        "id": f"DEMO-{cpo.party}", "currency": "EUR", "elements": [{"price_components": [component]}],
    }  # fmt: skip


def location(cpo: Neighbour, now: datetime) -> Body:
    """A location with one EVSE."""
    stamp = write_time(now)
    connector = {
        "id": "1", "standard": "IEC_62196_T2", "format": "SOCKET", "power_type": "AC_3_PHASE", "max_voltage": 230,
        "max_amperage": 32, "tariff_ids": [f"DEMO-{cpo.party}"], "last_updated": stamp,
    }  # fmt: skip
    evse = {
        "uid": "E1", "evse_id": f"{cpo.country}*{cpo.party}*E1", "status": "AVAILABLE",
        "capabilities": ["REMOTE_START_STOP_CAPABLE", "RFID_READER"], "connectors": [connector], "last_updated": stamp,
    }  # fmt: skip
    return _owned(cpo, now) | {
        "id": location_id(cpo), "publish": True, "name": cpo.title, "time_zone": "Europe/Brussels", "evses": [evse],
        **_address(cpo),
    }  # fmt: skip


def token(emsp: Neighbour, now: datetime) -> Body:
    """Its driver's."""
    return _owned(emsp, now) | {
        "uid": f"DEMO{emsp.party}01", "type": "APP_USER", "contract_id": f"{emsp.country}-{emsp.party}-C00000001-X",
        "issuer": emsp.title, "valid": True, "whitelist": "ALLOWED",
    }  # fmt: skip


def session(cpo: Neighbour, driver: Neighbour, name: str, began: datetime) -> Body:
    """As it begins."""
    return _owned(cpo, began) | {
        "id": name, "start_date_time": write_time(began), "kwh": 0, "cdr_token": _cdr_token(driver, name),
        "auth_method": "WHITELIST", "location_id": location_id(cpo), "evse_uid": "E1", "connector_id": "1",
        "currency": "EUR", "status": "ACTIVE",
    }  # fmt: skip


def record(
    cpo: Neighbour, driver: Neighbour, name: str, kwh: Decimal, times: tuple[datetime, datetime]
) -> Body:
    """The CDR of a session, priced by the CPO's tariff."""
    assert cpo.price is not None
    began, ended = times
    seconds = Decimal((ended - began).days * 86_400 + (ended - began).seconds)
    hours = (seconds / 3600).quantize(Decimal("0.0001"), ROUND_HALF_UP)
    cost = _total(kwh * cpo.price)
    volumes = [{"type": "ENERGY", "volume": kwh}, {"type": "TIME", "volume": hours}]
    place = {
        "id": location_id(cpo), "evse_uid": "E1", "evse_id": f"{cpo.country}*{cpo.party}*E1", "connector_id": "1",
        "connector_standard": "IEC_62196_T2", "connector_format": "SOCKET", "connector_power_type": "AC_3_PHASE",
        **_address(cpo),
    }  # fmt: skip
    return _owned(cpo, ended) | {
        "id": name, "session_id": name, "start_date_time": write_time(began), "end_date_time": write_time(ended),
        "cdr_token": _cdr_token(driver, name), "auth_method": "WHITELIST", "cdr_location": place, "currency": "EUR",
        "tariffs": [tariff(cpo, began)], "total_cost": cost, "total_energy": kwh, "total_energy_cost": cost,
        "total_time": hours,
        "charging_periods": [{"start_date_time": write_time(began), "dimensions": volumes}],
    }  # fmt: skip


def with_vat_twice(right: Body) -> Body:
    """The same record as somebody makes it who takes the price with VAT for the one without."""
    wrong = _total(right["total_cost"]["incl_vat"])
    return right | {"total_cost": wrong, "total_energy_cost": wrong}


def _total(net: Decimal) -> Body:
    return {
        "excl_vat": net.quantize(_CENT, ROUND_HALF_UP),
        "incl_vat": (net * _VAT).quantize(_CENT, ROUND_HALF_UP),
    }


def _cdr_token(driver: Neighbour, session: str) -> Body:
    """Every session has another driver: one could not be at two places at once."""
    return {
        "country_code": driver.country, "party_id": driver.party, "uid": f"CARD-{session}", "type": "RFID",
        "contract_id": f"{driver.country}-{driver.party}-C00000002-X",
    }  # fmt: skip


def _address(cpo: Neighbour) -> Body:
    city, country, latitude, longitude = _PLACES[cpo.party]
    return {
        "address": "Quai 1", "city": city, "country": country,
        "coordinates": {"latitude": latitude, "longitude": longitude},
    }  # fmt: skip


_PLACES = {
    "SCH": ("Antwerpen", "BEL", "51.22050", "4.39700"),
    "MOS": ("Wasserbillig", "LUX", "49.71590", "6.50460"),
}


def _owned(party: Neighbour, now: datetime) -> Body:
    return {"country_code": party.country, "party_id": party.party, "last_updated": write_time(now)}
