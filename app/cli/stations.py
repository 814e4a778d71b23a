"""voltbridge station: set up, let in and call charging stations."""

from typing import Annotated, Any

import typer

from app.cli.client import path, request
from app.cli.failures import Failure
from app.cli.show import AsJson, Limit, listed, one, parse, read_json, rows, say

app = typer.Typer(no_args_is_help=True, help="Charging stations.")

Id = Annotated[str, typer.Argument(metavar="ID", help="The station's id: the end of its URL.")]

_COLUMNS = {
    "id": "id",
    "state": "state",
    "online": "online",
    "ocpp": "ocpp_version",
    "location": "location_id",
    "connectors": "connectors",
    "vendor": "boot.vendor",
    "model": "boot.model",
    "last seen": "last_seen",
}


@app.command("list")
def list_stations(
    state: Annotated[str | None, typer.Option(help="pending, accepted or rejected.")] = None,
    location: Annotated[str | None, typer.Option(help="Only those at this location.")] = None,
    as_json: AsJson = False,
    limit: Limit = 50,
) -> None:
    """Stations, those that wait to be let in included."""
    query = {"state": state, "location": location, "limit": limit}
    listed(request("GET", "/stations", query=query), _COLUMNS, as_json=as_json)


@app.command()
def show(station_id: Id) -> None:
    """Everything about one station."""
    one(request("GET", path("stations", station_id)))


@app.command()
def put(
    station_id: Id,
    file: Annotated[str | None, typer.Argument(help="JSON with all of it, or - for standard input.")] = None,
    *,
    location: Annotated[str | None, typer.Option(help="Id of the location where it stands.")] = None,
    connector: Annotated[
        list[str] | None,
        typer.Option(
            help="NUMBER=EVSE_UID/CONNECTOR_ID, as often as it has connectors.", metavar="N=EVSE/ID"
        ),
    ] = None,
    profile: Annotated[int | None, typer.Option(min=0, max=3, help="Security profile.")] = None,
    password: Annotated[str | None, typer.Option(help="What it must present.")] = None,
) -> None:
    """Create or replace a station, and let it in."""
    body: dict[str, Any] = {} if file is None else _object(read_json(file), file)
    given = {
        "location_id": location,
        "security_profile": profile,
        "password": password,
        "connectors": [_link(text) for text in connector] if connector else None,
    }
    body |= {name: value for name, value in given.items() if value is not None}
    response = request("PUT", path("stations", station_id), body=body)
    say(f"{station_id} is {'new' if response.status_code == 201 else 'replaced'}; it connects to")
    say(response.json()["url"])


@app.command()
def accept(
    station_id: Id,
    adopt_minutes: Annotated[
        int | None,
        typer.Option(help="Let it in once without a password within so many minutes, and give it one."),
    ] = None,
) -> None:
    """Take a pending station in; a password that is made for it is shown only now."""
    body = {} if adopt_minutes is None else {"adopt_minutes": adopt_minutes}
    told = request("POST", path("stations", station_id, "accept"), body=body).json()
    rows(
        [
            (name.replace("_", " "), str(told[name]))
            for name in ("id", "url", "password", "adopt_until")
            if name in told
        ]
    )


@app.command()
def call(
    station_id: Id,
    action: Annotated[str, typer.Argument(help="Name of the OCPP call, such as Reset.")],
    payload: Annotated[str, typer.Argument(help="Its payload as JSON, or - for standard input.")] = "{}",
    timeout: Annotated[float, typer.Option(help="Seconds the station gets to answer.")] = 30.0,
    wait: Annotated[bool, typer.Option(help="Wait for the answer.")] = True,
) -> None:
    """Send any OCPP call, as on the wire."""
    body = read_json("-") if payload == "-" else parse(payload, "the payload")
    query = {"timeout": timeout, "wait": int(wait)}
    response = request("POST", path("stations", station_id, "ocpp", action), body=body, query=query)
    one(response)
    if response.json().get("outcome") in ("error", "timeout"):
        raise typer.Exit(1)


def _link(text: str) -> dict[str, Any]:
    number, _, place = text.partition("=")
    evse, _, connector = place.rpartition("/")
    if not number.isascii() or not number.isdecimal() or not evse or not connector:
        raise Failure(f"--connector {text}: expected NUMBER=EVSE_UID/CONNECTOR_ID, such as 1=UTR-1/1")
    return {"evse": int(number), "connector": 1, "evse_uid": evse, "connector_id": connector}


def _object(value: Any, file: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Failure(f"{file} does not hold a JSON object")
    return value
