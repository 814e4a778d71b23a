"""Two CPOs and two eMSPs behind the hub, and what they tell."""

from typing import Any, NamedTuple

import httpx

from app.domain.parties import Party
from tests.conftest import OcpiHouse
from tests.flows.hub_party import NOW, HubParty

HUB, OURS = "NL-VHB", "NL-VBR"
BASE = "/ocpi/2.2.1"


class World(NamedTuple):
    """Two CPOs and two eMSPs behind the hub; the first eMSP has agreed with both CPOs, the second with the first."""

    house: OcpiHouse
    cpo: HubParty
    cpo2: HubParty
    emsp: HubParty
    emsp2: HubParty

    @property
    def parties(self) -> tuple[HubParty, ...]:
        return self.cpo, self.cpo2, self.emsp, self.emsp2

    async def settled(self) -> None:
        await self.house.settled()


def party_of(name: str) -> Party:
    return Party(*name.split("-"))


def parties_of(response: httpx.Response) -> tuple[str, str]:
    headers = response.headers
    return tuple(  # type: ignore[return-value]
        f"{headers.get(f'OCPI-{word}-country-code')}-{headers.get(f'OCPI-{word}-party-id')}"
        for word in ("to", "from")
    )


def location(owner: str = "NL-AAA", location_id: str = "LOC1", **changes: Any) -> dict[str, Any]:
    country, party = owner.split("-")
    evse = {
        "uid": "E1",
        "status": "AVAILABLE",
        "connectors": [{"id": "1", "last_updated": NOW}],
        "last_updated": NOW,
    }
    return {
        "country_code": country, "party_id": party, "id": location_id, "publish": True, "evses": [evse],
        "x_kept": 1.10, "last_updated": NOW,
    } | changes  # fmt: skip
