"""The commands of `voltbridge` that need no running server, and the door to all others."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from app import __version__
from app.cli import billing, bulk, hub, lint, partners, places, prices, stations, webhooks
from app.cli.failures import Failure, expected
from app.cli.show import say
from app.cluster.roles import Role
from app.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="OCPI 2.2.1 roaming and a charge point operator's backend. Settings come from VOLTBRIDGE_ variables.",
)
admin = typer.Typer(no_args_is_help=True, help="The operator's own access.")
demo = typer.Typer(no_args_is_help=True, help="The demo world.")

for _room, _name in (
    (admin, "admin"),
    (partners.app, "partner"),
    (stations.app, "station"),
    (places.locations, "location"),
    (lint.app, "tariff"),
    (places.tokens, "token"),
    (prices.app, "price"),
    (billing.outbox, "outbox"),
    (billing.cdrs, "cdr"),
    (webhooks.app, "webhook"),
    (hub.app, "hub"),
    (demo, "demo"),
):
    app.add_typer(_room, name=_name)
app.command("import")(bulk.import_)
app.command("export")(bulk.export)
app.command("settlement")(billing.settlement)


def main() -> None:
    """The entry point: every failure that can be expected ends in one line on stderr and exit code 1."""
    try:
        app()
    except Failure as failure:
        sys.exit(f"voltbridge: {failure}")


def _version(asked: bool) -> None:
    if asked:
        say(f"voltbridge {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Nothing happens before the command."""


@app.command()
def serve(
    role: Annotated[
        Role, typer.Option(help="What this process does; anything but all needs PostgreSQL.")
    ] = Role.ALL,
) -> None:
    """Run everything: OCPI and the admin API on one port, OCPP on the other. Or one part of it."""
    from app.kit import collector

    collector.rest()
    from app.kit import logs
    from app.main import run
    from app.main import serve as house

    settings = _settings()
    logs.setup(settings.log_level, settings.log_format)
    guest = None
    if settings.demo and role is Role.ALL:
        from app.demo import Demo

        guest = Demo()
    run(house(settings, guest, role))


@app.command()
def migrate() -> None:
    """Bring the database up to date; `serve` does it too."""
    from app import migrations
    from app.store.database.engine import open_store, shown
    from app.wiring import only_one

    settings = _settings()

    async def upgrade() -> str:
        store = await open_store(settings.database_url)
        try:
            await migrations.upgrade(store.writer)
            return shown(store.url)
        finally:
            await store.close()

    with expected(), only_one(settings):
        say(f"{asyncio.run(upgrade())} is up to date")


@app.command()
def openapi(
    folder: Annotated[Path, typer.Option(help="Where the files are.")] = Path("openapi"),
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail if a file is not up to date.")
    ] = False,
) -> None:
    """Write the OpenAPI documents of OCPI and of the admin API."""
    from app.cli import documents

    if check:
        if behind := documents.stale(folder):
            raise Failure(f"not up to date in {folder}: {', '.join(behind)}; run: voltbridge openapi")
        say(f"the documents in {folder} are up to date")
        return
    try:
        for path in documents.write(folder):
            say(f"wrote {path}")
    except OSError as error:
        raise Failure(f"cannot write to {folder}: {error.strerror}") from None


@app.command()
def doctor() -> None:
    """Look at everything the server needs, one line each."""
    from app.cli.doctor import examine

    findings = examine()
    for finding in findings:
        say(f"{'ok  ' if finding.well else 'FAIL'}  {finding.what:<12} {finding.found}")
    if not all(finding.well for finding in findings):
        raise typer.Exit(1)


@app.command()
def simulate(
    station_ids: Annotated[
        list[str], typer.Argument(metavar="STATION...", help="Ids of the stations to play.")
    ],
    id_tag: Annotated[list[str], typer.Option(help="Cards that the drivers show, as often as you like.")],
    connectors: Annotated[int, typer.Option(min=1, max=20, help="Connectors of each station.")] = 1,
    password: Annotated[str | None, typer.Option(help="What the stations present.")] = None,
    url: Annotated[str | None, typer.Option(help="The OCPP server; this machine's own if left out.")] = None,
) -> None:
    """Play charging stations with cars that come and go, against a running server."""
    from app.cli.simulate import play, quiet

    quiet()
    where = (url or _settings().ocpp_public_url).rstrip("/")
    playing = play(where, station_ids, connectors=connectors, password=password, id_tags=id_tag)
    try:
        asyncio.run(playing)
    except KeyboardInterrupt:
        say("stopped")


@admin.command()
def token() -> None:
    """Make a new admin token and show it; the old one ends when the server starts again."""
    from app.settings import new_admin_token

    with expected():
        say(new_admin_token(_settings()))


@demo.command()
def clear() -> None:
    """Remove everything the demo made; stop the server first."""
    from app.demo import clear as clear_world

    settings = _settings()
    with expected():
        asyncio.run(clear_world(settings))
    say("the demo world is gone")


def _settings() -> Settings:
    with expected():
        return Settings.load()
