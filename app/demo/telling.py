"""What the demo says: what runs, what to look at next, and the records as the eMSP receives them."""

import asyncio
import socket
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from app.demo import world
from app.demo.cast import DAYS
from app.demo.scenes import Stage
from app.kit.clock import SystemClock
from app.settings import Settings
from ocpi.simulator.emsp import EmspSimulator
from ocpi.wire.cdrs import CDR

_LOOK_SECONDS = 0.5
_TALLY_SECONDS = 5.0
_ONE_BY_ONE = 3
"""So many records at once get a line each; more are counted, and the first ever seen always get theirs."""

_ADDRESS = "<address of this machine>"


def greeting(settings: Settings, emsp: EmspSimulator, guest: dict[str, Any]) -> str:
    """The text that is shown once everything moves."""
    url, month = settings.public_url, f"{SystemClock().now():%Y-%m}"
    token, shown = _admin_token(settings)

    def look(path: str) -> str:
        return f"curl -s -H \"Authorization: Bearer {token}\" '{url}/admin/v1{path}' | python3 -m json.tool"

    def do(path: str, body: str) -> str:
        return f"curl -s -X POST -H \"Authorization: Bearer {token}\" -d '{body}' '{url}/admin/v1{path}'"

    def app(wish: str, body: str = "{}") -> str:
        return f"curl -s -X POST -d '{body}' {emsp.base_url}/app/{wish}"

    place = f'{{"location_id": "DEMO-AMS", "evse_uid": "{world.FREE}-E1"}}'
    return f"""
Voltbridge is running, with a demo world of {sum(len(site.stations) for site in world.SITES)} simulated stations and the eMSP {world.EMSP_NAME}.
Everything below goes through the same ports that real stations and partners use. Stop it with Ctrl-C.

  The console, for a browser; it asks for the admin token
    {url}/    {shown}
  All stations, and what their connectors say
    {look("/stations")}
  What is being charged now
    {look("/transactions?active=true")}
  Sessions as partners see them
    {look("/sessions?limit=5")}
  Finished, priced records; and those that are held back for a person, with the reason
    {look("/cdrs?limit=3")}
    {look("/cdrs?state=held")}
  What the eMSP has received from us
    curl -s {emsp.base_url}/received/cdrs | python3 -m json.tool
  What was said on the wire by one station, both directions
    {look("/stations/DEMO-AMS-1/frames?limit=10")}
  Ask a station something
    {do("/stations/DEMO-AMS-1/ocpp/GetConfiguration", '{"key": ["HeartbeatInterval"]}')}

  Play a driver with the app of {world.EMSP_NAME}: it commands, {world.FREE} acts
    {app("start", place)}
    {app("stop")}
    {app("reserve", place)}
    {app("cancel")}
  Let {world.NEWCOMER} in, which knocks and has no password yet: it is given one (it tries once a minute)
    {look("/stations?state=pending")}
    {do(f"/stations/{world.NEWCOMER}/accept", '{"adopt_minutes": 15}')}

  Four others are behind the hub, two CPOs and two eMSPs: who they are, what passed, and what was found in their CDRs
    {look("/hub/parties")}
    {look("/hub/accounting?month=" + month)}
    {look("/hub/cdrs?limit=5")}

  Register your own eMSP: POST credentials, starting at this versions URL with this token A
    {guest["versions_url"]}
    {guest["token_a"]}
  Connect a real charger from your network (the simulated world rests meanwhile): stop this, then
    VOLTBRIDGE_OCPP_HOST=0.0.0.0 VOLTBRIDGE_OCPP_PUBLIC_URL=ws://{lan_address()}:{settings.ocpp_port} make run
    type ws://{lan_address()}:{settings.ocpp_port}/ocpp/<its id> into the charger, and let it in as {world.NEWCOMER} above
  Read and try every call of the admin API: {url}/docs
"""


def _admin_token(settings: Settings) -> tuple[str, str]:
    """The admin token in a shell command, and where a person finds it; never the token itself."""
    if settings.admin_token:
        return "$VOLTBRIDGE_ADMIN_TOKEN", "(as you set it)"
    kept = settings.state_dir / "admin-token"
    return f"$(cat {kept})", f"(cat {kept})"


def lan_address() -> str:
    """The address by which others on the network reach this machine, or words in its place; sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            address = str(probe.getsockname()[0])
        except OSError:
            return _ADDRESS
    return _ADDRESS if address.startswith("127.") else address


async def news(stage: Stage) -> None:
    """A line for every record that reaches the eMSP, a sum where many come, for as long as the demo runs."""
    cast, cdrs, loop = stage.cast, stage.emsp.ledger.cdrs, asyncio.get_running_loop()
    told: set[str] = set()
    if cast.total:
        stage.say(f"The stations were offline for {DAYS} days; they have {cast.total} messages to tell.")
    replaying, summed_at = bool(cast.total), loop.time()
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        new = [cdr for cdr_id, cdr in list(cdrs.items()) if cdr_id not in told]
        if len(told) < _ONE_BY_ONE:
            new = new[:_ONE_BY_ONE]
        elif replaying or len(new) > _ONE_BY_ONE:
            if loop.time() - summed_at < _TALLY_SECONDS:
                continue
            if new:
                stage.say(_sum(new, len(cdrs)))
            told.update(cdr.id for cdr in new)
            summed_at, new = loop.time(), []
        for cdr in new:
            told.add(cdr.id)
            stage.say(_line(cdr))
        if replaying and not cast.left:
            replaying = False
            stage.say(f"The past is told: {cast.total} messages, each with the time at which it happened.")


def _line(cdr: CDR) -> str:
    place = f"{cdr.cdr_location.name or cdr.cdr_location.id}, {cdr.cdr_location.evse_id}"
    signed = (
        f"  signed by its meter ({cdr.signed_data.encoding_method})" if cdr.signed_data is not None else ""
    )
    return (
        f"CDR at {world.EMSP_NAME}: {cdr.total_energy:>8} kWh in {cdr.total_time * 60:>5.1f} min  "
        f"{_amount(cdr):>8.2f} {cdr.currency}  {place}{signed}"
    )


def _sum(cdrs: Iterable[CDR], known: int) -> str:
    cdrs = list(cdrs)
    energy = sum((cdr.total_energy for cdr in cdrs), Decimal(0))
    amount = sum((_amount(cdr) for cdr in cdrs), Decimal(0))
    signed = sum(cdr.signed_data is not None for cdr in cdrs)
    return (
        f"CDRs at {world.EMSP_NAME}: {len(cdrs)} more ({signed} signed), {energy:.1f} kWh, {amount:.2f} EUR; "
        f"{known} in all"
    )


def _amount(cdr: CDR) -> Decimal:
    cost = cdr.total_cost
    return Decimal(cost.incl_vat if cost.incl_vat is not None else cost.excl_vat)
