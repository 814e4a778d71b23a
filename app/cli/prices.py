"""voltbridge price and cdr, the part that gives reasons: why a session costs what it costs."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.billing import prices as app
from app.cli.client import path, request
from app.cli.show import AsJson, one, read_json, say

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
