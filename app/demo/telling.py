"""What the demo says: what runs, what to look at next, and each record as the eMSP receives it."""

import asyncio
from collections.abc import Callable
from typing import Any

from app.demo import world
from app.settings import Settings
from ocpi.simulator.emsp import EmspSimulator
from ocpi.wire.cdrs import CDR

_LOOK_SECONDS = 0.5


def greeting(settings: Settings, emsp: EmspSimulator, guest: dict[str, Any]) -> str:
    """The text that is shown once everything moves."""
    url = settings.public_url
    stations = sum(len(site.stations) for site in world.SITES)
    kept = settings.state_dir / "admin-token"
    token = "$VOLTBRIDGE_ADMIN_TOKEN" if settings.admin_token else f"$(cat {kept})"

    def look(path: str) -> str:
        return f"curl -s -H \"Authorization: Bearer {token}\" '{url}/admin/v1{path}' | python3 -m json.tool"

    return f"""
Voltbridge is running, with a demo world of {stations} simulated stations and the eMSP {world.EMSP_NAME}.
Everything below goes through the same ports that real stations and partners use. Stop it with Ctrl-C.

  All stations, and what their connectors say
    {look("/stations")}
  What is being charged now
    {look("/transactions?active=true")}
  Sessions as partners see them
    {look("/sessions?limit=5")}
  Finished, priced records
    {look("/cdrs?limit=3")}
  What the eMSP has received from us
    curl -s {emsp.base_url}/received/cdrs | python3 -m json.tool
  What was said on the wire by one station, both directions
    {look("/stations/DEMO-AMS-1/frames?limit=10")}
  Ask a station something
    curl -s -X POST -H "Authorization: Bearer {token}" -d '{{"key": ["HeartbeatInterval"]}}' \\
      '{url}/admin/v1/stations/DEMO-AMS-1/ocpp/GetConfiguration'

  Register your own eMSP: POST credentials, starting at this versions URL with this token A
    {guest["versions_url"]}
    {guest["token_a"]}
  Read and try every call of the admin API: {url}/docs
"""


async def news(emsp: EmspSimulator, say: Callable[[str], None]) -> None:
    """One line for every record that reaches the eMSP, for as long as the demo runs."""
    told: set[str] = set()
    while True:
        for cdr_id, cdr in list(emsp.ledger.cdrs.items()):
            if cdr_id not in told:
                told.add(cdr_id)
                say(_line(cdr))
        await asyncio.sleep(_LOOK_SECONDS)


def _line(cdr: CDR) -> str:
    cost = cdr.total_cost
    amount = cost.incl_vat if cost.incl_vat is not None else cost.excl_vat
    place = f"{cdr.cdr_location.name or cdr.cdr_location.id}, {cdr.cdr_location.evse_id}"
    return (
        f"CDR at {world.EMSP_NAME}: {cdr.total_energy:>8} kWh in {cdr.total_time * 60:>5.1f} min  "
        f"{amount:>8.2f} {cdr.currency}  {place}"
    )
