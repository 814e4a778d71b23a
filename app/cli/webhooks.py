"""voltbridge webhook: who is told that something is wrong."""

from typing import Annotated

import typer

from app.cli.client import path, request
from app.cli.show import AsJson, Limit, listed, one, rows, say

app = typer.Typer(no_args_is_help=True, help="Webhooks: URLs of ours that are told of alarms.")

Id = Annotated[str, typer.Argument(metavar="ID", help="The webhook's id.")]

_COLUMNS = {
    "id": "id", "url": "url", "failures": "failures", "last error": "last_error", "last success": "last_success",
}  # fmt: skip
_ALERTS = {
    "id": "id", "event": "event", "state": "state", "attempts": "attempts", "last error": "last_error",
    "created": "created_at",
}  # fmt: skip


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="Where alerts are sent by POST.")],
    event: Annotated[
        list[str] | None,
        typer.Option(
            help="Only this: station_offline, connector_fault, partner_failing, delivery_dead, cdr_held."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell a URL of alarms; its secret is shown only now."""
    response = request("POST", "/webhooks", body={"url": url} | ({"events": event} if event else {}))
    if as_json:
        one(response)
        return
    told = response.json()
    rows([("webhook", told["id"]), ("secret", told["secret"])])
    say("Give the receiver the secret. It is not shown again.")


@app.command("list")
def list_webhooks(as_json: AsJson = False, limit: Limit = 50) -> None:
    """Webhooks and how they do."""
    listed(request("GET", "/webhooks", query={"limit": limit}), _COLUMNS, as_json=as_json)


@app.command()
def alerts(
    webhook_id: Id,
    state: Annotated[str | None, typer.Option(help="waiting, failing, delivered or dead.")] = None,
    as_json: AsJson = False,
    limit: Limit = 50,
) -> None:
    """What a webhook was told, and what not yet."""
    query = {"state": state, "limit": limit}
    listed(request("GET", path("webhooks", webhook_id, "alerts"), query=query), _ALERTS, as_json=as_json)


@app.command()
def test(webhook_id: Id) -> None:
    """Send an alert that means nothing."""
    request("POST", path("webhooks", webhook_id, "test"))
    say(f"an alert is on its way; see: voltbridge webhook alerts {webhook_id}")


@app.command()
def remove(webhook_id: Id) -> None:
    """Tell this URL nothing more."""
    request("DELETE", path("webhooks", webhook_id))
    say(f"{webhook_id} is removed")
