"""One station: what it is, what its connectors do, what was wrong, what it charged, what it says, what can be told."""

from typing import Any

from app.admin.console import parts, writing
from app.admin.console.stations import availability, calls, meter, wire, words
from app.admin.console.tables import Column, Table
from app.admin.console.views import View

LATEST = 10
"""How many of its transactions and faults are shown."""


async def page(view: View, station_id: str) -> None:
    """Everything about one station, live."""
    path = f"/stations/{station_id}"
    station = await view.api.get(path)
    parts.link("All stations", "/stations", "vb-link vb-back")
    with parts.box("div", "vb-grid"):
        with parts.box("div", "vb-two-thirds vb-stack-cards vb-top-cards"):
            about = _About(view, station_id)
            await availability.show(view, station_id)
        with parts.box("div", "vb-third"):
            boot = _Boot()

    def show(found: dict[str, Any]) -> None:
        about.show(found)
        boot.show(found)

    await view.follow(path, show)
    await meter.show(view, station_id)
    await _transactions(view, station_id)
    await _faults(view, path)
    await calls.show(view, station)
    await wire.show(view, station_id)


class _About:
    """Its state, its connectors, and what an operator does with it."""

    def __init__(self, view: View, station_id: str) -> None:
        self._view, self._id = view, station_id
        with parts.card("Connectors", "vb-flush") as head:
            with head:
                self._state = parts.chip(None)
                with parts.box("span", "vb-note vb-push"):
                    parts.text("span", "last heard ")
                    self._heard = parts.time(None, "ago")
            self._table = Table(
                "Connectors",
                (
                    Column("Connector"), Column("EVSE"), Column("Status", "chip"), Column("Error"),
                    Column("Since", "time"),
                ),
                nothing=("No connector has reported yet", "They appear when the station tells their status."),
            )  # fmt: skip
            with parts.box("div", "vb-actions vb-inset"):
                self._admit = parts.button("Let in", view.act(self._accept, "Let in."), kind="main")
                parts.button("Forget this station", view.act(self._forget), kind="risky")

    def show(self, station: dict[str, Any]) -> None:
        """What the API tells now."""
        parts.set_chip(self._state, *words.state_of(station))
        parts.set_time(self._heard, station["last_seen"])
        self._admit.set_visibility(station["state"] != "accepted")
        self._table.show([_connector(each) for each in station["connectors"]])

    async def _accept(self) -> None:
        accepted = await self._view.api.post(f"/stations/{self._id}/accept")
        if "password" in accepted:
            self._view.tell(
                f"Set this password at the station; it is shown only now: {accepted['password']}", "wait"
            )

    async def _forget(self) -> None:
        sure = await self._view.confirm(
            f"Forget {self._id}?",
            "Its socket is closed, and it is refused from then on. What it charged stays.",
            "Forget",
        )
        if sure:
            await self._view.api.delete(f"/stations/{self._id}")
            self._view.client.open("/stations")


def _connector(each: dict[str, Any]) -> list[Any]:
    error = each["error_code"] if each["error_code"] not in (None, "NoError") else None
    told = " · ".join(str(part) for part in (error, each["vendor_error_code"], each["info"]) if part)
    return [str(each["evse"]), each["evse_uid"], each["status"], told, each["status_at"]]


class _Boot:
    """What the station is made of."""

    def __init__(self) -> None:
        self._shown: Any = None
        with parts.card("Station"):
            self._place = parts.box("div")

    def show(self, station: dict[str, Any]) -> None:
        """Made anew only when something of it changed, which is seldom."""
        told = station["boot"] or {}
        profile = station["security_profile"]
        facts: list[tuple[str, Any]] = [
            ("Vendor", told.get("vendor")),
            ("Model", told.get("model")),
            ("Serial number", told.get("serial_number") or told.get("box_serial_number")),
            ("Firmware", told.get("firmware_version")),
            ("Meter", told.get("meter_type")),
            ("SIM", told.get("iccid")),
            ("OCPP", station["ocpp_version"]),
            ("Location", station["location_id"]),
            ("Security profile", profile),
            ("Password", "set" if station["has_password"] else "none"),
            ("Last boot", station["booted_at"]),
            ("Connected since", station["connected_at"] if station["online"] else None),
            ("URL", station["url"]),
        ]
        if facts == self._shown:
            return
        self._shown = facts
        self._place.clear()
        with self._place:
            parts.facts([(name, _fact(name, value)) for name, value in facts if value not in (None, "")])


def _fact(name: str, value: Any) -> Any:
    return (lambda: parts.time(value)) if name in ("Last boot", "Connected since") else value


async def _transactions(view: View, station_id: str) -> None:
    columns = (
        Column("Began", "time"), Column("Ended", "time"), Column("Connector"), Column("Id tag"), Column("Energy", "number"),
        Column("Remarks", "long"),
    )  # fmt: skip
    with parts.card("Transactions", "vb-flush", note=f"the last {LATEST}"):
        table = Table(
            "Transactions",
            columns,
            nothing=("No transaction yet", "The first car that charges here appears at once."),
        )

    def show(found: list[dict[str, Any]]) -> None:
        table.show(
            [
                [
                    each["started_at"], each["stopped_at"], str(each["connector"]), each["id_tag"],
                    writing.energy_of_wh(each["energy_wh"]), ", ".join(each["flags"]),
                ]
                for each in found
            ]
        )  # fmt: skip

    await view.follow("/transactions", show, station=station_id, limit=LATEST)


async def _faults(view: View, path: str) -> None:
    columns = (
        Column("From", "time"), Column("To", "time"), Column("Connector"), Column("Status", "chip"), Column("Error"),
        Column("In its own words", "long"),
    )  # fmt: skip
    with parts.card("Faults", "vb-flush", note="as far back as the wire log is kept"):
        table = Table(
            "Faults",
            columns,
            nothing=("No fault is known", "Should one come up, it is listed here with its end."),
        )

    def show(found: list[dict[str, Any]]) -> None:
        table.show(
            [
                [
                    each["from"], each["to"], str(each["connector"]), each["status"], each["error_code"],
                    " · ".join(part for part in (each["vendor_error_code"], each["info"]) if part),
                ]
                for each in found
            ]
        )  # fmt: skip

    await view.follow(f"{path}/faults", show, every=30, limit=LATEST)
