"""Wire objects as a partner would send them, each test gets its own copy."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest

from ocpi.client.messages import Received
from ocpi.errors import PartnerUnreachable, Unreachable

MOMENT = "2026-03-01T10:00:00Z"

TOKEN = {
    "country_code": "DE",
    "party_id": "EMS",
    "uid": "04A2B3C4D5E680",
    "type": "RFID",
    "contract_id": "DE-EMS-C00000001-7",
    "issuer": "Elbe Mobility",
    "valid": True,
    "whitelist": "ALLOWED",
    "last_updated": MOMENT,
}
CDR_TOKEN = {name: TOKEN[name] for name in ("country_code", "party_id", "uid", "type", "contract_id")}
CONNECTOR = {
    "id": "1",
    "standard": "IEC_62196_T2",
    "format": "SOCKET",
    "power_type": "AC_3_PHASE",
    "max_voltage": 230,
    "max_amperage": 32,
    "tariff_ids": ["AC-DAY"],
    "last_updated": MOMENT,
}
EVSE = {
    "uid": "E-77-1",
    "evse_id": "NL*VBR*E771",
    "status": "AVAILABLE",
    "capabilities": ["RFID_READER", "REMOTE_START_STOP_CAPABLE"],
    "connectors": [CONNECTOR],
    "last_updated": MOMENT,
}
LOCATION = {
    "country_code": "NL",
    "party_id": "VBR",
    "id": "quay-77",
    "publish": True,
    "name": "Parkeerdek Kade 77",
    "address": "Kade 77",
    "city": "Utrecht",
    "postal_code": "3511 AA",
    "country": "NLD",
    "coordinates": {"latitude": "52.090737", "longitude": "5.121420"},
    "evses": [EVSE],
    "time_zone": "Europe/Amsterdam",
    "last_updated": MOMENT,
}
PERIOD = {"start_date_time": MOMENT, "dimensions": [{"type": "ENERGY", "volume": 7}], "tariff_id": "AC-DAY"}
SESSION = {
    "country_code": "NL",
    "party_id": "VBR",
    "id": "S-1001",
    "start_date_time": MOMENT,
    "kwh": 0,
    "cdr_token": CDR_TOKEN,
    "auth_method": "WHITELIST",
    "location_id": "quay-77",
    "evse_uid": "E-77-1",
    "connector_id": "1",
    "currency": "EUR",
    "charging_periods": [PERIOD],
    "status": "ACTIVE",
    "last_updated": MOMENT,
}
TARIFF = {
    "country_code": "NL",
    "party_id": "VBR",
    "id": "AC-DAY",
    "currency": "EUR",
    "elements": [{"price_components": [{"type": "ENERGY", "price": 1, "vat": 21, "step_size": 1}]}],
    "last_updated": MOMENT,
}
CDR = {
    "country_code": "NL",
    "party_id": "VBR",
    "id": "C-1001",
    "start_date_time": MOMENT,
    "end_date_time": "2026-03-01T11:00:00Z",
    "session_id": "S-1001",
    "cdr_token": CDR_TOKEN,
    "auth_method": "WHITELIST",
    "cdr_location": {
        "id": "quay-77",
        "address": "Kade 77",
        "city": "Utrecht",
        "country": "NLD",
        "coordinates": {"latitude": "52.090737", "longitude": "5.121420"},
        "evse_uid": "E-77-1",
        "evse_id": "NL*VBR*E771",
        "connector_id": "1",
        "connector_standard": "IEC_62196_T2",
        "connector_format": "SOCKET",
        "connector_power_type": "AC_3_PHASE",
    },
    "currency": "EUR",
    "tariffs": [TARIFF],
    "charging_periods": [PERIOD],
    "total_cost": {"excl_vat": 7, "incl_vat": 8},
    "total_energy": 7,
    "total_time": 1,
    "last_updated": "2026-03-01T11:00:01Z",
}
CREDENTIALS = {
    "token": "a-token-of-the-tests",
    "url": "https://ems.example/ocpi/versions",
    "roles": [
        {
            "role": "EMSP",
            "country_code": "DE",
            "party_id": "EMS",
            "business_details": {"name": "Elbe Mobility"},
        }
    ],
}
OBJECTS: dict[str, dict[str, Any]] = {
    "token": TOKEN,
    "location": LOCATION,
    "evse": EVSE,
    "connector": CONNECTOR,
    "session": SESSION,
    "tariff": TARIFF,
    "cdr": CDR,
    "credentials": CREDENTIALS,
}


@pytest.fixture
def wire_object() -> Callable[..., dict[str, Any]]:
    """`wire_object("token", valid=False)` gives a valid object of that kind with some fields changed."""

    def build(kind: str, /, **changes: Any) -> dict[str, Any]:
        return copy.deepcopy(OBJECTS[kind]) | changes

    return build


class PlayedWire:
    """Carries requests to a function instead of a partner; what httpx can mock can stand behind it."""

    def __init__(self, handler: Callable[[httpx.Request], Any]) -> None:
        self.transport = httpx.MockTransport(handler)

    async def exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        received: Received,
        **_options: Any,
    ) -> bool:
        request = httpx.Request(method, url, headers=headers, content=body)
        try:
            response = await self.transport.handle_async_request(request)
        except httpx.HTTPError as error:
            raise PartnerUnreachable(Unreachable.RESET, f"{request.url.host}: broke off") from error
        received.http_status, received.headers = response.status_code, response.headers
        received.body = await response.aread()
        return True

    async def aclose(self) -> None:
        await self.transport.aclose()


@pytest.fixture
def played() -> type[PlayedWire]:
    """`PartnerClient(played(handler))` asks the handler instead of a partner."""
    return PlayedWire
