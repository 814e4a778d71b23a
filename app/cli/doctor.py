"""voltbridge doctor: whether everything is there that the server needs, one line each."""

import asyncio
import socket
import sys
from collections.abc import Callable
from typing import NamedTuple

import httpx

from app.cli.client import local_url
from app.settings import Settings, SettingsError, prepare_state_dir
from app.store.database.errors import StoreError


class Finding(NamedTuple):
    """One thing looked at: whether it is well, and what was found."""

    well: bool
    what: str
    found: str


def examine() -> list[Finding]:
    """Everything, in the order in which the server would need it; without settings there is nothing more to see."""
    python = ".".join(map(str, sys.version_info[:3]))
    findings = [Finding(sys.version_info >= (3, 11), "python", python)]
    try:
        settings = Settings.load()
    except SettingsError as error:
        return [*findings, Finding(False, "settings", str(error))]
    findings.append(Finding(True, "settings", f"party {settings.country_code}-{settings.party_id}"))
    checks: tuple[Callable[[Settings], Finding], ...] = (_folder, _token, _database, _http, _ocpp)
    return [*findings, *(check(settings) for check in checks)]


def _folder(settings: Settings) -> Finding:
    try:
        return Finding(True, "folder", f"{prepare_state_dir(settings)} can be written")
    except SettingsError as error:
        return Finding(False, "folder", str(error))


def _token(settings: Settings) -> Finding:
    if settings.admin_token is not None:
        return Finding(True, "admin token", "from VOLTBRIDGE_ADMIN_TOKEN")
    kept = settings.state_dir / "admin-token"
    return Finding(True, "admin token", f"in {kept}" if kept.is_file() else "made at the first start")


def _database(settings: Settings) -> Finding:
    try:
        found = asyncio.run(_database_state(settings.database_url))
    except StoreError as error:
        return Finding(False, "database", str(error))
    return Finding(True, "database", found)


async def _database_state(url: str) -> str:
    from app import migrations
    from app.store.database.engine import open_store, shown

    store = await open_store(url)
    try:
        current = await migrations.is_current(store.reader)
        return f"{shown(store.url)} {'is up to date' if current else 'is migrated at the next start'}"
    finally:
        await store.close()


def _http(settings: Settings) -> Finding:
    finding = _port("http port", "VOLTBRIDGE_HTTP_PORT", settings.http_host, settings.http_port)
    if finding.well:
        return finding
    try:
        answer = httpx.get(f"{local_url(settings)}/healthz", timeout=3, trust_env=False)
        if answer.is_success and answer.json() == {"status": "ok"}:
            return Finding(True, "http port", f"Voltbridge is running at {local_url(settings)}")
    except (httpx.HTTPError, ValueError):
        return finding
    return finding


def _ocpp(settings: Settings) -> Finding:
    finding = _port("ocpp port", "VOLTBRIDGE_OCPP_PORT", settings.ocpp_host, settings.ocpp_port)
    if not finding.well and "is running" in _http(settings).found:
        return Finding(True, "ocpp port", f"{settings.ocpp_host}:{settings.ocpp_port}, used by Voltbridge")
    return finding


def _port(what: str, variable: str, host: str, port: int) -> Finding:
    from app.kit.listeners import ListenError, open_listener

    try:
        listener: socket.socket = open_listener(host, port, variable=variable)
    except ListenError as error:
        return Finding(False, what, str(error))
    listener.close()
    return Finding(True, what, f"{host}:{port} is free")
