"""Stations as the admin API shows them: set-up, connection, last words, refusals, and what was found out."""

from typing import Any
from urllib.parse import quote

from app.admin.answers import time_or_none
from app.admin.context import AdminContext
from app.domain.stations import ChargingStation, ConnectorReport, Knocks
from app.domain.upkeep.setting_up import Commissioning, waits_for_reboot
from app.domain.upkeep.uid_order import UidOrder
from app.store.stations import StoredStation

STATUS_FIELDS = ("status", "error_code", "info", "vendor_id", "vendor_error_code", "status_at", "received_at")


def station_body(
    stored: StoredStation, reports: list[ConnectorReport], context: AdminContext, knocks: Knocks | None = None
) -> dict[str, Any]:
    """A station for the operator's eyes; that it has a password, never which."""
    station = stored.station
    boot = station.boot
    whole = next((each for each in reports if each.evse == 0), None)
    return {
        "id": station.id,
        "state": str(station.state),
        "online": stored.online,
        "url": url_of(context, station.id),
        "url_without_id": f"{context.ocpp_url}/ocpp",
        "location_id": station.location_id,
        "connectors": _connectors(stored, reports),
        "whole": None if whole is None else _status(whole),
        "security_profile": station.security_profile,
        "has_password": stored.has_password,
        "ocpp_version": station.ocpp_version,
        "boot": None if boot is None else {name: getattr(boot, name) for name in boot.__struct_fields__},
        "booted_at": time_or_none(station.booted_at),
        "commissioning": None
        if station.commissioning is None
        else _commissioning(station.commissioning, station),
        "connection_timeout": station.connection_timeout,
        "triggers": station.triggers,
        "uid_order": str(station.uid_order),
        "uid_hint": _uid_hint(station),
        "refused": None if knocks is None else _knocks(knocks),
        "firmware_status": station.firmware_status,
        "diagnostics_status": station.diagnostics_status,
        "tolerated": station.tolerated,
        "connected_at": time_or_none(stored.connected_at),
        "disconnected_at": time_or_none(stored.disconnected_at),
        "last_seen": time_or_none(stored.last_seen if stored.connected_at else None),
        "adopt_until": time_or_none(stored.adopt_until),
        "created_at": time_or_none(stored.created_at),
        "last_updated": time_or_none(station.last_updated),
    }


def _connectors(stored: StoredStation, reports: list[ConnectorReport]) -> list[dict[str, Any]]:
    """Connectors that were set up, that reported, or both."""
    links = {(link.evse, link.connector): link for link in stored.station.connectors}
    said = {(each.evse, each.connector): each for each in reports if each.evse != 0}
    found = []
    for evse, connector in sorted(links.keys() | said.keys()):
        link, report = links.get((evse, connector)), said.get((evse, connector))
        found.append(
            {
                "evse": evse,
                "connector": connector,
                "evse_uid": link.evse_uid if link else None,
                "connector_id": link.connector_id if link else None,
                **(_status(report) if report else dict.fromkeys(STATUS_FIELDS)),
            }
        )
    return found


def _status(report: ConnectorReport) -> dict[str, Any]:
    return {
        "status": str(report.status),
        "error_code": report.error_code,
        "info": report.info,
        "vendor_id": report.vendor_id,
        "vendor_error_code": report.vendor_error_code,
        "status_at": time_or_none(report.at),
        "received_at": time_or_none(report.received_at),
    }


def _commissioning(done: Commissioning, station: ChargingStation) -> dict[str, Any]:
    """What was changed and what was not, key by key; `waits_for_reboot` are the keys that count from then on."""
    return {
        "stage": str(done.stage),
        "made_for": done.made_for,
        "at": time_or_none(done.at),
        "keys": [
            {
                "key": each.key,
                "before": each.before,
                "wanted": each.wanted,
                "outcome": str(each.outcome),
                "at": time_or_none(each.at),
            }
            for each in done.keys
        ],
        "waits_for_reboot": waits_for_reboot(done, station.booted_at),
    }


def _uid_hint(station: ChargingStation) -> dict[str, Any] | None:
    """A card that nobody knows, and the setting under which it would be known."""
    hint = station.uid_hint
    if hint is None:
        return None
    setting = {"uid_order": str(UidOrder.REVERSED)}
    return {"shown": hint.id_tag, "token": hint.uid, "at": time_or_none(hint.at), "set": setting}


def _knocks(knocks: Knocks) -> dict[str, Any]:
    return {
        "times": knocks.times,
        "first_at": time_or_none(knocks.first_at),
        "last_at": time_or_none(knocks.last_at),
        "address": knocks.address,
        "subprotocols": list(knocks.subprotocols),
        "credentials": knocks.credentials,
        "reason": knocks.reason,
    }


def url_of(context: AdminContext, station_id: str) -> str:
    """The address to type into the station."""
    return f"{context.ocpp_url}/ocpp/{quote(station_id, safe='')}"
