"""voltbridge station call, reset, unlock, start, stop, frames, settings: what is asked of a station that is there."""

import contextlib
import json
import time
from typing import Annotated, Any

import typer

from app.cli.client import path, request
from app.cli.failures import Failure
from app.cli.show import AsJson, Limit, one, parse, read_json, say, table

Id = Annotated[str, typer.Argument(metavar="ID", help="The station's id: the end of its URL.")]
Connector = Annotated[int, typer.Argument(min=1, help="Number of the connector.")]

PAUSE_SECONDS = 1.0
_PAGE = 200
_GOOD = ("Accepted", "Scheduled", "Unlocked")
_SETTINGS = {"key": "key", "value": "value", "read-only": "readonly"}


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


def reset(
    station_id: Id, hard: Annotated[bool, typer.Option(help="Cut the power, end sessions at once.")] = False
) -> None:
    """Have a station start anew."""
    _ordered(station_id, "Reset", {"type": "Hard" if hard else "Soft"})


def unlock(station_id: Id, connector: Connector) -> None:
    """Have a station let go of the plug."""
    _ordered(station_id, "UnlockConnector", {"connectorId": connector})


def start(
    station_id: Id,
    connector: Connector,
    token: Annotated[str, typer.Argument(help="Uid of a token we know.")],
) -> None:
    """Start charging remotely."""
    body = {"connector": connector, "token": token}
    _result(request("POST", path("stations", station_id, "start"), body=body).json())


def stop(
    station_id: Id,
    connector: Annotated[
        int | None, typer.Argument(min=1, help="Number of the connector, if several charge.")
    ] = None,
) -> None:
    """Stop charging remotely."""
    request("GET", path("stations", station_id))
    query = {"station": station_id, "active": True, "limit": _PAGE}
    found = request("GET", "/transactions", query=query).json()
    meant = [each for each in found if connector in (None, each["connector"])]
    if not meant:
        where = f"at connector {connector}" if connector else "there"
        raise Failure(f"nothing is charging {where}")
    if len(meant) > 1:
        taken = ", ".join(str(each["connector"]) for each in meant)
        raise Failure(f"several are charging: name one of the connectors {taken}")
    _result(request("POST", path("transactions", meant[0]["ref"], "stop")).json())


def frames(
    station_id: Id,
    limit: Limit = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until interrupted.")] = False,
    as_json: AsJson = False,
) -> None:
    """The wire log in both directions, oldest first."""
    where = path("stations", station_id, "frames")
    found = request("GET", where, query={"limit": max(limit, _PAGE) if follow else limit}).json()
    if as_json:
        say(json.dumps(found[:limit][::-1], indent=2))
    else:
        _tell(found[:limit])
    if follow:
        with contextlib.suppress(KeyboardInterrupt):
            _follow(where, {_name(each) for each in found})


def settings(
    station_id: Id,
    changes: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Settings to change.")
    ] = None,
    refresh: Annotated[bool, typer.Option(help="Ask the station now.")] = False,
    as_json: AsJson = False,
) -> None:
    """What a station is set to, or change some of it with the station's answer to each."""
    where = path("stations", station_id, "settings")
    if changes:
        _change(where, changes)
        return
    response = request("GET", where, query={"refresh": 1 if refresh else None})
    if as_json:
        one(response)
        return
    told = response.json()
    if told["read_at"] is None:
        raise Failure(f"{station_id} was never asked: voltbridge station settings {station_id} --refresh")
    table(told["settings"], _SETTINGS)
    say(f"as told at {told['read_at']}")
    if told["waits_for_reboot"]:
        say(f"count from the next boot on: {', '.join(told['waits_for_reboot'])}")


def _follow(where: str, seen: set[tuple[Any, ...]]) -> None:
    """Tell what is new, until interrupted."""
    while True:
        time.sleep(PAUSE_SECONDS)
        found = request("GET", where, query={"limit": _PAGE}).json()
        _tell([each for each in found if _name(each) not in seen])
        seen = {_name(each) for each in found}


def _change(where: str, changes: list[str]) -> None:
    wanted: dict[str, Any] = {}
    for text in changes:
        key, sign, value = text.partition("=")
        if not key or not sign:
            raise Failure(f"{text}: expected KEY=VALUE, such as HeartbeatInterval=300")
        wanted[key] = value
    done = request("PATCH", where, body=wanted).json()
    for each in done["changes"]:
        say(f"{each['key']}={each['value']}  {each['answer'].replace('_', ' ')}")
    if any(each["answer"] not in ("accepted", "reboot_required") for each in done["changes"]):
        raise typer.Exit(1)


def _ordered(station_id: str, action: str, payload: dict[str, Any]) -> None:
    """A call with a status for an answer; anything but a yes ends in exit code 1."""
    told = request("POST", path("stations", station_id, "ocpp", action), body=payload).json()
    if told["outcome"] == "timeout":
        raise Failure(f"{station_id} does not answer")
    response = told["response"] if isinstance(told["response"], dict) else {}
    if told["outcome"] == "error":
        raise Failure(f"{station_id}: {response.get('code')} {response.get('description') or ''}".strip())
    status = str(response.get("status"))
    say(status)
    if status not in _GOOD:
        raise typer.Exit(1)


def _result(told: dict[str, Any]) -> None:
    say(told["result"])
    if told["result"] != "ACCEPTED":
        raise typer.Exit(1)


def _tell(entries: list[dict[str, Any]]) -> None:
    """One line each; an answer that never came says why."""
    for each in reversed(entries):
        arrow = "<-" if each["direction"] == "in" else "->"
        text = each["text"] if each["text"] is not None else f"({each['outcome'] or 'no answer yet'})"
        odd = f"  [{'; '.join(each['deviations'])}]" if each["deviations"] and each["kind"] == "call" else ""
        say(f"{each['at'] or '-':<24} {arrow} {each['action']} {text}{odd}")


def _name(entry: dict[str, Any]) -> tuple[Any, ...]:
    return entry["message_id"], entry["kind"], entry["direction"], entry["at"], entry["text"]
