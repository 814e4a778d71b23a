"""voltbridge hub: who is behind the hub, and who may reach whom."""

from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.client import path, request
from app.cli.show import AsJson, Limit, listed, one, save, say, table

app = typer.Typer(no_args_is_help=True, help="The hub: parties behind it, and their agreements.")

Party = Annotated[str, typer.Argument(metavar="PARTY", help="Country code and party id, such as NL-ABC.")]
Other = Annotated[str, typer.Argument(metavar="OTHER", help="The other party.")]

_PARTIES = {"party": "party", "role": "role", "partner": "partner", "state": "state", "status": "status"}
_CDRS = {
    "id": "id", "received": "received_at", "from": "from", "to": "to", "cdr": "cdr", "kWh": "kwh", "excl. VAT": "excl_vat",
    "currency": "currency", "verdict": "verdict", "price": "price", "state": "state",
    "found": "findings",
}  # fmt: skip
_ACCOUNTS = {
    "from": "from", "to": "to", "messages": "messages", "sessions": "sessions", "kWh": "kwh",
    "excl. VAT": "amounts",
}  # fmt: skip
_AGREEMENTS = {"parties": "parties", "modules": "modules", "since": "created_at"}


@app.command()
def parties(as_json: AsJson = False, limit: Limit = 50) -> None:
    """Who is behind the hub."""
    listed(request("GET", "/hub/parties", query={"limit": limit}), _PARTIES, as_json=as_json)


@app.command()
def agreements(as_json: AsJson = False, limit: Limit = 50) -> None:
    """Which parties may reach each other; no modules: in all."""
    listed(request("GET", "/hub/agreements", query={"limit": limit}), _AGREEMENTS, as_json=as_json)


@app.command()
def agree(
    party: Party,
    other: Other,
    module: Annotated[
        list[str] | None, typer.Option(help="Only this module, such as locations; may be repeated.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Let two parties reach each other."""
    body = {"modules": module} if module else {}
    response = request("PUT", path("hub", "agreements", party, other), body=body)
    if as_json:
        one(response)
        return
    told = response.json()
    say(f"{' and '.join(told['parties'])}: {', '.join(told['modules']) or 'all modules'}")


@app.command()
def end(party: Party, other: Other) -> None:
    """End an agreement: nothing passes between the two any more."""
    request("DELETE", path("hub", "agreements", party, other))
    say(f"{party} and {other} cannot reach each other any more")


@app.command()
def cdrs(
    party: Annotated[str | None, typer.Option(help="Only of this CPO or eMSP, such as NL-ABC.")] = None,
    verdict: Annotated[str | None, typer.Option(help="Only pass, warn or refuse.")] = None,
    state: Annotated[
        str | None, typer.Option(help="Only delivered, refused, declined, failed or passing.")
    ] = None,
    as_json: AsJson = False,
    limit: Limit = 50,
) -> None:
    """CDRs that passed the hub, newest first, with what was found in them."""
    query = {"limit": limit, "party": party, "verdict": verdict, "state": state}
    response = request("GET", "/hub/cdrs", query=query)
    if as_json:
        one(response)
        return
    found = [
        each | {"findings": "; ".join(f"{item['check']}: {item['words']}" for item in each["findings"])}
        for each in response.json()
    ]
    table(found, _CDRS)


@app.command()
def allow(
    record: Annotated[str, typer.Argument(metavar="ID", help="As `hub cdrs` shows it.")],
    reason: Annotated[str, typer.Option(help="Why it may pass, for whoever asks later.")],
) -> None:
    """Let a refused CDR pass when its CPO posts the same bytes again."""
    told = request("POST", path("hub", "cdrs", record, "allow"), body={"reason": reason}).json()
    say(f"CDR {told['cdr']} of {told['from']} passes when it is posted again")


@app.command()
def accounting(
    month: Annotated[str, typer.Argument(help="In UTC, such as 2026-11.")],
    csv: Annotated[Path | None, typer.Option(help="Write the table into this file.")] = None,
    as_json: AsJson = False,
) -> None:
    """What passed between parties in a month: messages, sessions, and energy and cost of their CDRs."""
    if csv is not None:
        save(csv, request("GET", "/hub/accounting", query={"month": month, "format": "csv"}).text)
        return
    response = request("GET", "/hub/accounting", query={"month": month})
    if as_json:
        one(response)
        return
    found = response.json()
    table([_shown(each) for each in [*found["pairs"], found["totals"] | {"to": "total"}]], _ACCOUNTS)


def _shown(pair: dict[str, Any]) -> dict[str, Any]:
    amounts = [f"{each['excl_vat']} {each['currency']} ({each['cdrs']} CDRs)" for each in pair["amounts"]]
    return pair | {"amounts": ", ".join(amounts)}
