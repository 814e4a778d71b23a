"""voltbridge location, tariff and token: what our network consists of."""

from typing import Annotated, Any

import typer

from app.cli.client import path, request
from app.cli.show import AsJson, Limit, listed, read_json, say

locations = typer.Typer(no_args_is_help=True, help="Our locations, in OCPI's form.")
tariffs = typer.Typer(no_args_is_help=True, help="Our tariffs, in OCPI's form.")
tokens = typer.Typer(no_args_is_help=True, help="Tokens that we issue: the cards of our own drivers.")

File = Annotated[str, typer.Argument(help="JSON, or - for standard input.")]

_LOCATION = {
    "id": "id", "name": "name", "address": "address", "city": "city", "publish": "publish", "roaming": "roaming",
    "evses": "evses", "last updated": "last_updated",
}  # fmt: skip
_TARIFF = {
    "id": "id",
    "currency": "currency",
    "type": "type",
    "elements": "elements",
    "last updated": "last_updated",
}
_TOKEN = {
    "uid": "uid", "type": "type", "contract": "contract_id", "issuer": "issuer", "valid": "valid",
    "whitelist": "whitelist", "expires": "expires_at",
}  # fmt: skip


@locations.command("list")
def list_locations(as_json: AsJson = False, limit: Limit = 50) -> None:
    """Our locations, those kept out of roaming included."""
    listed(request("GET", "/locations", query={"limit": limit}), _LOCATION, as_json=as_json)


@locations.command("put")
def put_location(location_id: Annotated[str, typer.Argument(metavar="ID")], file: File) -> None:
    """Create or replace a location."""
    _put(path("locations", location_id), location_id, read_json(file))


@tariffs.command("list")
def list_tariffs(as_json: AsJson = False, limit: Limit = 50) -> None:
    """Our tariffs."""
    listed(request("GET", "/tariffs", query={"limit": limit}), _TARIFF, as_json=as_json)


@tariffs.command("put")
def put_tariff(tariff_id: Annotated[str, typer.Argument(metavar="ID")], file: File) -> None:
    """Create or replace a tariff."""
    for warning in _put(path("tariffs", tariff_id), tariff_id, read_json(file)).get("warnings", []):
        say(f"{warning['level']}: {warning['where']}: {warning['words']}")


@tokens.command("list")
def list_tokens(as_json: AsJson = False, limit: Limit = 50) -> None:
    """Tokens of our own."""
    listed(request("GET", "/tokens", query={"limit": limit}), _TOKEN, as_json=as_json)


@tokens.command("put")
def put_token(
    uid: Annotated[str, typer.Argument(help="What the card says of itself.")],
    *,
    contract_id: Annotated[str, typer.Option(help="The driver's contract, such as NL-VBR-C12345678-X.")],
    issuer: Annotated[str, typer.Option(help="Who gave it out.")] = "Voltbridge",
    kind: Annotated[str, typer.Option("--type", help="RFID, APP_USER, AD_HOC_USER or OTHER.")] = "RFID",
    whitelist: Annotated[str, typer.Option(help="ALWAYS, ALLOWED, ALLOWED_OFFLINE or NEVER.")] = "ALWAYS",
    valid: Annotated[bool, typer.Option(help="Whether it may charge.")] = True,
    expires_at: Annotated[str | None, typer.Option(help="Until when, such as 2027-01-31T12:00:00Z.")] = None,
) -> None:
    """Create or replace a token."""
    body: dict[str, Any] = {
        "type": kind,
        "contract_id": contract_id,
        "issuer": issuer,
        "valid": valid,
        "whitelist": whitelist,
    }
    _put(path("tokens", uid), uid, body | ({"expires_at": expires_at} if expires_at else {}))


def _put(where: str, name: str, body: Any) -> dict[str, Any]:
    answered = request("PUT", where, body=body)
    say(f"{name} is {'new' if answered.status_code == 201 else 'replaced'}")
    found: dict[str, Any] = answered.json()
    return found
