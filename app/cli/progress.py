"""Watching a station come in: what has happened since the watching began, line by line, until it is complete."""

import time
from typing import Any

from app.cli.client import path, request
from app.cli.failures import Failure
from app.cli.show import say

PAUSE_SECONDS = 1.0
PATIENCE_SECONDS = 20.0
"""How long a station that is there otherwise is waited for to be set up: it may be switched off."""

_LEFT_ALONE = {
    "not_supported": "left as it is: it does not tell its settings",
    "unanswered": "left as it is: it does not answer when asked for its settings",
}


def look(station_id: str) -> dict[str, Any]:
    """The station as it stands. Raises Failure."""
    found: dict[str, Any] = request("GET", path("stations", station_id)).json()
    return found


class Progress:
    """The steps of a station's first minutes, each told once; `before` is how it stood at the beginning."""

    def __init__(self, before: dict[str, Any], *, adopting: bool) -> None:
        self._before = before
        self._adopting = adopting
        self._refused = (before.get("refused") or {}).get("times", 0)
        self._told: set[str] = set()

    def news(self, now: dict[str, Any]) -> list[str]:
        """What has happened since the last look."""
        lines = self._refusals(now)
        for step, line in self._steps(now):
            if step not in self._told:
                self._told.add(step)
                lines.append(line)
        return lines

    @property
    def missing(self) -> list[str]:
        """What has not happened yet, in its order."""
        password = ["password set"] if self._adopting else []
        wanted = ["connected", "booted", *password, "set up", "first status"]
        return [step for step in wanted if step not in self._told]

    def _refusals(self, now: dict[str, Any]) -> list[str]:
        refused = now.get("refused") or {}
        if refused.get("times", 0) <= self._refused:
            return []
        self._refused = refused["times"]
        offers = ", ".join(refused["subprotocols"]) or "no subprotocol"
        return [
            f"refused: {refused['reason']} (from {refused['address']}, credentials: {refused['credentials']}, {offers})"
        ]

    def _steps(self, now: dict[str, Any]) -> list[tuple[str, str]]:
        steps = []
        if now["online"]:
            steps.append(("connected", f"connected, OCPP {now['ocpp_version']}"))
        if now["boot"] and now["booted_at"] != self._before["booted_at"]:
            boot = now["boot"]
            firmware = f", firmware {boot['firmware_version']}" if boot["firmware_version"] else ""
            steps.append(("booted", f"booted: {boot['vendor']} {boot['model']}{firmware}"))
        if self._adopting and now["has_password"] and now["adopt_until"] is None:
            steps.append(("password set", "password set; it is needed from now on"))
        if line := self._set_up(now):
            steps.append(("set up", line))
        if line := self._status(now):
            steps.append(("first status", line))
        return steps

    def _set_up(self, now: dict[str, Any]) -> str | None:
        done = now["commissioning"]
        if "booted" not in self._told or done is None or done["stage"] == "under_way":
            return None
        if done["stage"] in _LEFT_ALONE:
            return _LEFT_ALONE[done["stage"]]
        changed = [
            f"{each['key']} {each['before']} -> {each['wanted']}"
            for each in done["keys"]
            if each["outcome"] in ("changed", "reboot_required") and each["wanted"] is not None
        ]
        waiting = done["waits_for_reboot"]
        text = f"set up: {'; '.join(changed) or 'nothing had to be changed'}"
        return f"{text}; counts from the next boot on: {', '.join(waiting)}" if waiting else text

    def _status(self, now: dict[str, Any]) -> str | None:
        before = {(c["evse"], c["connector"]): c["received_at"] for c in self._before["connectors"]}
        news = [
            f"connector {each['evse']} {each['status']}"
            for each in now["connectors"]
            if each["status"] is not None
            and each["received_at"] != before.get((each["evse"], each["connector"]))
        ]
        return f"status: {', '.join(news)}" if news else None


def watch(before: dict[str, Any], *, adopting: bool, minutes: float) -> None:
    """Tell what happens from `before` on until the station is complete. Raises Failure when the time is over."""
    station_id = before["id"]
    progress = Progress(before, adopting=adopting)
    deadline = time.monotonic() + 60 * minutes
    nearly: float | None = None
    while True:
        for line in progress.news(look(station_id)):
            say(line)
        missing = progress.missing
        if not missing:
            say(f"{station_id} is ready")
            return
        if missing == ["set up"]:
            nearly = nearly or time.monotonic()
            if time.monotonic() - nearly > PATIENCE_SECONDS:
                say(f"{station_id} is ready; its settings are as they were")
                return
        if time.monotonic() > deadline:
            raise Failure(
                f"{station_id} is not there after {minutes:g} minutes; missing: {', '.join(missing)}"
            )
        time.sleep(PAUSE_SECONDS)
