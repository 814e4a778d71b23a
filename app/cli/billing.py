"""voltbridge price, cdr, settlement and outbox: what things cost, and whether partners were told."""

from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.client import path, request
from app.cli.show import AsJson, Limit, exact, listed, one, read_json, save, say

prices = typer.Typer(no_args_is_help=True, help="Prices.")
cdrs = typer.Typer(no_args_is_help=True, help="Charge detail records.")
outbox = typer.Typer(no_args_is_help=True, help="What partners have yet to be told.")

Id = Annotated[str, typer.Argument(metavar="ID")]

_CDR = {
    "id": "id", "state": "state", "reason": "reason", "party": "cdr_token.party_id", "kWh": "total_energy",
    "excl. VAT": "total_cost.excl_vat", "currency": "currency", "ended": "end_date_time",
}  # fmt: skip
_DELIVERY = {
    "id": "id", "partner": "partner", "object": "object", "state": "state", "attempts": "attempts",
    "next": "next_at", "last error": "last_error",
}  # fmt: skip


@prices.command()
def quote(
    file: Annotated[str, typer.Argument(help="The question as JSON, or - for standard input.")],
) -> None:
    """Price a session: `tariff` or `tariffs`, `location_time_zone` and `cdr`."""
    one(request("POST", "/pricing/quote", body=read_json(file)))


@cdrs.command("list")
def list_cdrs(
    state: Annotated[str | None, typer.Option(help="held, issued or discarded.")] = None,
    partner: Annotated[str | None, typer.Option(help="Id of a partner, or a party such as DE-EMP.")] = None,
    as_json: AsJson = False,
    limit: Limit = 50,
) -> None:
    """Records, newest first."""
    query = {"state": state, "partner": partner, "limit": limit}
    listed(request("GET", "/cdrs", query=query), _CDR, as_json=as_json)


@cdrs.command()
def release(
    cdr_id: Id,
    kwh: Annotated[str | None, typer.Option(help="The right energy, where the metered one is wrong.")] = None,
    tariff: Annotated[str | None, typer.Option(help="Id of the tariff to price it by.")] = None,
    reason: Annotated[str | None, typer.Option(help="Kept with the record.")] = None,
) -> None:
    """Issue a held record, corrected if need be."""
    given: dict[str, Any] = {
        "kwh": None if kwh is None else exact(kwh, "--kwh"),
        "tariff": tariff,
        "reason": reason,
    }
    body = {name: value for name, value in given.items() if value is not None}
    _decided(request("POST", path("cdrs", cdr_id, "release"), body=body).json())


@cdrs.command()
def discard(cdr_id: Id, reason: Annotated[str, typer.Option(help="Why nobody shall be billed.")]) -> None:
    """Throw a held record away."""
    _decided(request("POST", path("cdrs", cdr_id, "discard"), body={"reason": reason}).json())


@cdrs.command()
def credit(cdr_id: Id) -> None:
    """Take an issued record back by a credit CDR."""
    _decided(request("POST", path("cdrs", cdr_id, "credit")).json())


@outbox.command("list")
def list_deliveries(
    state: Annotated[str | None, typer.Option(help="waiting, in_flight, delivered, failing or dead.")] = None,
    partner: Annotated[str | None, typer.Option(help="Id of a partner.")] = None,
    as_json: AsJson = False,
    limit: Limit = 50,
) -> None:
    """Deliveries, newest first."""
    query = {"state": state, "partner": partner, "limit": limit}
    listed(request("GET", "/deliveries", query=query), _DELIVERY, as_json=as_json)


@outbox.command()
def retry(delivery_id: Annotated[int, typer.Argument(metavar="ID")]) -> None:
    """Try a failing or dead delivery again now."""
    delivery = request("POST", path("deliveries", delivery_id, "retry")).json()
    say(f"{delivery['id']} ({delivery['object']}) is {delivery['state']}")


@outbox.command()
def move(
    delivery_id: Annotated[int, typer.Argument(metavar="ID")],
    reason: Annotated[str, typer.Option(help="Why it shall go another way.")],
) -> None:
    """Tell a CDR on our other platform instead: directly, or through our hub."""
    delivery = request("POST", path("deliveries", delivery_id, "move"), body={"reason": reason}).json()
    say(f"{delivery['object']} is {delivery['state']} for {delivery['partner']}, as {delivery['id']}")


def _decided(cdr: dict[str, Any]) -> None:
    cost = cdr.get("total_cost")
    amount = f": {cost['excl_vat']} {cdr['currency']} without VAT" if cost else ""
    say(f"{cdr['id']} is {cdr['state']}{amount}")


def settlement(
    month: Annotated[str, typer.Argument(help="In UTC, such as 2026-11.")],
    partner: Annotated[str | None, typer.Option(help="Id of a partner, or a party such as DE-EMP.")] = None,
    csv: Annotated[
        Path | None, typer.Option(help="Write the table with every record into this file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What each eMSP owes for a month, by currency and VAT rate."""
    query = {"month": month, "partner": partner}
    if csv is not None:
        save(csv, request("GET", "/settlement", query=query | {"format": "csv"}).text)
        return
    response = request("GET", "/settlement", query=query)
    if as_json:
        one(response)
        return
    for each in response.json()["partners"]:
        say(f"{each['party']}: {each['sessions']} sessions, {each['credits']} credits, {each['kwh']} kWh")
        for share in each["amounts"]:
            rate = "no one VAT rate" if share["vat"] is None else f"VAT {share['vat']} %"
            including = "" if share["incl_vat"] is None else f", {share['incl_vat']} with it"
            say(f"  {share['excl_vat']} {share['currency']} without VAT{including} ({rate})")
