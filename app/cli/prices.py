"""voltbridge price and cdr, the part that gives reasons: why a session costs what it costs."""

from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.billing import Id, cdrs
from app.cli.billing import prices as app
from app.cli.client import path, request
from app.cli.show import AsJson, exact, one, read_json, say

__all__ = ["app"]


@app.command()
def explain(
    what: Annotated[
        str,
        typer.Argument(
            metavar="CDR_ID|FILE", help="A record, or a question for a quote as JSON (- reads it)."
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Tell why a session costs what it costs, in words for the driver."""
    query = None if as_json else {"format": "text"}
    if what == "-" or Path(what).is_file():
        response = request("POST", "/pricing/quote", body=read_json(what), query=query)
    else:
        response = request("GET", path("cdrs", what, "explain"), query=query)
    if as_json:
        one(response)
        return
    for line in response.text.splitlines():
        say(line)


@app.command()
def simulate(
    file: Annotated[str, typer.Argument(help="The visit as JSON, or - for standard input.")],
    as_json: AsJson = False,
) -> None:
    """Price a visit that is made up: `tariff`, `location_time_zone` and `visit`."""
    body = read_json(file)
    if as_json:
        one(request("POST", "/pricing/simulate", body=body))
        return
    for line in request("POST", "/pricing/simulate", body=body, query={"format": "text"}).text.splitlines():
        say(line)
    grown = request("POST", "/pricing/simulate", body=body).json()["cost_over_time"]
    say("")
    for each in grown:
        say(f"{each['at']}  {each['kwh']:>10} kWh  {each['total_cost']['excl_vat']:>10}")


@cdrs.command()
def correct(
    cdr_id: Id,
    reason: Annotated[str, typer.Option(help="What was wrong; the corrected record says it.")],
    kwh: Annotated[str | None, typer.Option(help="The right energy.")] = None,
    tariff: Annotated[str | None, typer.Option(help="Id of the right tariff.")] = None,
    as_json: AsJson = False,
) -> None:
    """Credit an issued record and issue a right one; both go to the partner."""
    given: dict[str, Any] = {
        "kwh": None if kwh is None else exact(kwh, "--kwh"),
        "tariff": tariff,
        "reason": reason,
    }
    body = {name: value for name, value in given.items() if value is not None}
    response = request("POST", path("cdrs", cdr_id, "correct"), body=body)
    if as_json:
        one(response)
        return
    found = response.json()
    change = found["difference"].get("total_cost")
    say(f"{found['credit']['id']} takes {cdr_id} back; {found['corrected']['id']} stands in its place")
    if change is not None:
        before, after = change["before"]["excl_vat"], change["after"]["excl_vat"]
        say(f"without VAT: {before} before, {after} now, {change['change']['excl_vat']} more")
