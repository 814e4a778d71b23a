"""voltbridge simulate: stations with cars that come and go, to play against a running server."""

import asyncio
import secrets
from collections.abc import Sequence

import typer

from app.kit import logs, tasks


async def play(
    url: str, station_ids: Sequence[str], *, connectors: int, password: str | None, id_tags: Sequence[str]
) -> None:
    """Connect these stations and let cars come until cancelled."""
    from ocpp_bridge.simulator.fleet import Fleet
    from ocpp_bridge.simulator.scenario import PROFILES, StationPlan, Traffic

    traffic = Traffic(id_tags=tuple(id_tags), free_seconds=(2.0, 30.0), charge_seconds=(60.0, 600.0))
    plans = [
        (
            StationPlan(
                id=station_id,
                connectors=tuple(PROFILES[(place + n) % len(PROFILES)] for n in range(connectors)),
                password=password,
            ),
            traffic,
        )
        for place, station_id in enumerate(station_ids)
    ]
    fleet = Fleet(plans, f"{url}/ocpp", seed=secrets.randbelow(2**31))
    fleet.start()
    typer.echo(f"{len(plans)} stations at {url}; stop with Ctrl-C")
    try:
        await asyncio.Event().wait()
    finally:
        await fleet.stop()
        await tasks.cancel_all()


def quiet() -> None:
    """Only what goes wrong is worth a line."""
    logs.setup("warning", "auto")
