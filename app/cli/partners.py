"""voltbridge partner: invite, register, look at and unmake partners."""

from typing import Annotated, Any

import httpx
import typer

from app.cli.client import path, request
from app.cli.show import AsJson, Limit, listed, one, rows, say

app = typer.Typer(no_args_is_help=True, help="Partners: platforms that we exchange credentials with.")

Id = Annotated[str, typer.Argument(metavar="ID", help="The partner's id.")]

_COLUMNS = {
    "id": "id",
    "name": "name",
    "platform": "platform",
    "state": "state",
    "version": "version",
    "roles": "roles",
    "waiting": "delivery.depth",
    "last contact": "last_contact",
}

_PULLS = {
    "partner": "partner", "name": "name", "module": "module", "read": "pulled_at", "whole": "whole_at",
    "entries": "entries", "kept": "kept", "skipped": "skipped", "withdrawn": "withdrawn", "error": "error",
}  # fmt: skip


@app.command("list")
def list_partners(as_json: AsJson = False, limit: Limit = 50) -> None:
    """Partners with their state and what they have yet to be told."""
    listed(request("GET", "/partners", query={"limit": limit}), _COLUMNS, as_json=as_json)


@app.command()
def pulls(
    partner: Annotated[str | None, typer.Option(help="Only of this partner, by its id.")] = None,
    as_json: AsJson = False,
    limit: Limit = 50,
) -> None:
    """Lists of partners that we read: when, how much, and what stopped it."""
    query = {"limit": limit, "partner": partner}
    listed(request("GET", "/pulls", query=query), _PULLS, as_json=as_json)


@app.command()
def invite(
    name: Annotated[str, typer.Argument(help="How we call it.")],
    platform: Annotated[str, typer.Option(help="Which of our identities it shall talk to.")] = "cpo",
    as_json: AsJson = False,
) -> None:
    """Make an invitation; its token A is shown only now."""
    _invitation(request("POST", "/partners", body={"name": name, "platform": platform}), as_json=as_json)


@app.command()
def reinvite(partner_id: Id, as_json: AsJson = False) -> None:
    """Make a new token A for a partner that lost its credentials."""
    _invitation(request("POST", path("partners", partner_id, "reinvite")), as_json=as_json)


@app.command()
def register(
    partner_id: Id,
    versions_url: Annotated[str, typer.Argument(help="The partner's versions endpoint.")],
    token_a: Annotated[
        str,
        typer.Option(
            "--token-a", prompt="Token A of the partner", hide_input=True, help="Asked for if left out."
        ),
    ],
) -> None:
    """Start the handshake ourselves, with what the partner gave us."""
    body = {"versions_url": versions_url, "token_a": token_a}
    one(request("POST", path("partners", partner_id, "register"), body=body))


@app.command()
def probe(
    versions_url: Annotated[str, typer.Argument(help="The partner's versions endpoint.")],
    token_a: Annotated[
        str | None, typer.Option("--token-a", help="Token A of the partner, if it gave one.")
    ] = None,
    raw_token: Annotated[bool, typer.Option("--raw-token", help="Send it without Base64.")] = False,
    allow_private_url: Annotated[
        bool, typer.Option("--allow-private-url", help="Look at http and private addresses too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Look for what would fail in a handshake. Nothing is changed, at the partner neither."""
    body = {
        "versions_url": versions_url,
        "token_a": token_a,
        "raw_token": raw_token,
        "allow_private_url": allow_private_url,
    }
    response = request("POST", "/partners/probe", body=body)
    found = response.json()
    if as_json:
        one(response)
    else:
        for check in found["checks"]:
            _check(check)
    if not found["ok"]:
        raise typer.Exit(1)


@app.command()
def show(partner_id: Id) -> None:
    """Everything about one partner; never a token."""
    one(request("GET", path("partners", partner_id)))


@app.command()
def pause(partner_id: Id) -> None:
    """Send nothing for now; what it must be told is remembered."""
    _moved(partner_id, "pause")


@app.command()
def resume(partner_id: Id) -> None:
    """Go on sending."""
    _moved(partner_id, "resume")


@app.command()
def rotate(partner_id: Id) -> None:
    """Exchange new credentials in both directions."""
    _moved(partner_id, "rotate")


@app.command()
def remove(
    partner_id: Id, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False
) -> None:
    """Unregister a partner, or take an invitation back."""
    if not yes:
        typer.confirm(f"End the connection with {partner_id}?", abort=True)
    gone = request("DELETE", path("partners", partner_id)).json()
    say(f"{gone['id']} is {gone['state']}")
    if "trouble" in gone:
        say(f"The partner could not be told: {gone['trouble']}")


def _check(check: dict[str, Any]) -> None:
    mark, colour = {True: ("ok", "green"), False: ("FAILS", "red"), None: ("-", None)}[check["ok"]]
    typer.secho(f"{mark:<6}", fg=colour, nl=False)
    say(f"{check['step']:<23} {check['found']}")
    if check["advice"]:
        say(f"{'':<30}{check['advice']}")


def _moved(partner_id: str, how: str) -> None:
    partner = request("POST", path("partners", partner_id, how)).json()
    say(f"{partner['id']} is {partner['state']}")


def _invitation(response: httpx.Response, *, as_json: bool) -> None:
    if as_json:
        one(response)
        return
    told = response.json()
    rows(
        [
            ("partner", told["id"]),
            ("versions URL", told["versions_url"]),
            ("token A", told["token_a"]),
        ]
    )
    say("Give the partner the URL and the token. The token is not shown again.")
