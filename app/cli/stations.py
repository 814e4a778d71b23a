"""voltbridge station: set up, let in and call charging stations."""

from typing import Annotated, Any

import typer

from app.cli import progress, station_calls
from app.cli.client import path, request
from app.cli.failures import Failure
from app.cli.show import AsJson, Limit, listed, one, read_json, rows, say
from app.cli.station_calls import Id

app = typer.Typer(no_args_is_help=True, help="Charging stations.")

Location = Annotated[str | None, typer.Option(help="Id of the location where it stands.")]
Connectors = Annotated[
    list[str] | None,
    typer.Option(help="NUMBER=EVSE_UID/CONNECTOR_ID, as often as it has connectors.", metavar="N=EVSE/ID"),
]
Profile = Annotated[int | None, typer.Option(min=0, max=3, help="Security profile.")]
Password = Annotated[str | None, typer.Option(help="What it must present.")]
UidOrder = Annotated[
    str | None, typer.Option(help="reversed where its reader tells bytes backwards, else as_read.")
]

_WATCH_MINUTES = 10.0

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
_INBOX = {
    "id": "id",
    "knocked": "refused.times",
    "last": "refused.last_at",
    "from": "refused.address",
    "speaks": "refused.subprotocols",
    "credentials": "refused.credentials",
    "URL to type in": "url",
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
    location: Location = None,
    connector: Connectors = None,
    profile: Profile = None,
    password: Password = None,
    uid_order: UidOrder = None,
) -> None:
    """Create or replace a station, and let it in."""
    body: dict[str, Any] = {} if file is None else _object(read_json(file), file)
    body |= _set_up(location, connector, profile, password, uid_order)
    response = request("PUT", path("stations", station_id), body=body)
    say(f"{station_id} is {'new' if response.status_code == 201 else 'replaced'}; it connects to")
    say(response.json()["url"])


@app.command()
def add(
    station_id: Id,
    *,
    location: Location = None,
    connector: Connectors = None,
    profile: Profile = None,
    password: Password = None,
) -> None:
    """Set up a station that is not known yet."""
    if _exists(station_id):
        raise Failure(
            f"{station_id} is known already; change it with: voltbridge station change {station_id}"
        )
    body = _set_up(location, connector, profile, password, None)
    told = request("PUT", path("stations", station_id), body=body).json()
    say(f"{station_id} is new; it connects to")
    say(told["url"])
    if not told["has_password"] and profile != 0:
        say(f"it has no password; to give it one: voltbridge station accept {station_id} --adopt-minutes 15")


@app.command()
def change(
    station_id: Id,
    *,
    location: Location = None,
    connector: Connectors = None,
    profile: Profile = None,
    password: Password = None,
    uid_order: UidOrder = None,
) -> None:
    """Change some of what is set up of a station."""
    body = _set_up(location, connector, profile, password, uid_order)
    if not body:
        raise Failure("nothing to change is named; see: voltbridge station change --help")
    request("PATCH", path("stations", station_id), body=body)
    say(f"{station_id} is changed")


@app.command()
def remove(
    station_id: Id, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False
) -> None:
    """Forget a station and close its socket; what it charged stays."""
    if not yes and not typer.confirm(f"forget station {station_id}?"):
        raise Failure("nothing was changed")
    request("DELETE", path("stations", station_id))
    say(f"{station_id} is gone")


@app.command()
def inbox(as_json: AsJson = False, limit: Limit = 50) -> None:
    """Stations that knocked and wait to be let in: when, how often, from where, and how."""
    response = request("GET", "/stations", query={"state": "pending", "limit": limit})
    listed(response, _INBOX, as_json=as_json)
    found = response.json()
    if found and not as_json:
        say(f"let one in with: voltbridge station accept {found[0]['id']} --adopt-minutes 15")


@app.command()
def accept(
    station_id: Id,
    adopt_minutes: Annotated[
        int | None,
        typer.Option(help="Let it in once without a password within so many minutes, and give it one."),
    ] = None,
    wait: Annotated[
        bool | None,
        typer.Option(
            "--wait/--no-wait", help="Watch it come in; usual with --adopt-minutes.", show_default=False
        ),
    ] = None,
) -> None:
    """Take a pending station in; a password that is made for it is shown only now."""
    before = progress.look(station_id)
    body = {} if adopt_minutes is None else {"adopt_minutes": adopt_minutes}
    told = request("POST", path("stations", station_id, "accept"), body=body).json()
    rows(
        [
            (name.replace("_", " "), str(told[name]))
            for name in ("id", "url", "password", "adopt_until")
            if name in told
        ]
    )
    if wait is False or (wait is None and adopt_minutes is None):
        return
    say(f"type this URL into the charger: {told['url']}")
    say(f"or, if it puts its id at the end by itself: {told['url_without_id']}")
    _watch(before, adopting=adopt_minutes is not None, minutes=adopt_minutes or _WATCH_MINUTES)


@app.command()
def watch(
    station_id: Id,
    minutes: Annotated[float, typer.Option(min=0.01, help="How long to wait.")] = _WATCH_MINUTES,
) -> None:
    """Watch a station come in: connected, booted, set up, first status."""
    shown = progress.look(station_id)
    say(f"waiting for {station_id} at {shown['url']}")
    _watch(shown, adopting=shown["adopt_until"] is not None, minutes=minutes)


for _command in (
    station_calls.call, station_calls.settings, station_calls.reset, station_calls.unlock, station_calls.start,
    station_calls.stop, station_calls.frames,
):  # fmt: skip
    app.command()(_command)


def _watch(before: dict[str, Any], *, adopting: bool, minutes: float) -> None:
    try:
        progress.watch(before, adopting=adopting, minutes=minutes)
    except KeyboardInterrupt:
        say(f"stopped watching; {before['id']} stays as it is")


def _exists(station_id: str) -> bool:
    """Whether there is such a station already."""
    try:
        progress.look(station_id)
    except Failure as failure:
        if failure.status == 404:
            return False
        raise
    return True


def _set_up(
    location: str | None,
    connector: list[str] | None,
    profile: int | None,
    password: str | None,
    uid_order: str | None,
) -> dict[str, Any]:
    """What was given, as the API names it."""
    given = {
        "location_id": location,
        "security_profile": profile,
        "password": password,
        "uid_order": uid_order,
        "connectors": [_link(text) for text in connector] if connector else None,
    }
    return {name: value for name, value in given.items() if value is not None}


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
