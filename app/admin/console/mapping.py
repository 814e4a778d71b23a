"""The map of the network: locations coloured by what matters most there, with tiles only where a server of them is named."""

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any
from urllib.parse import quote

from nicegui import ui
from nicegui.element import Element

from app.admin.console import parts
from app.admin.console.views import View

MOST = 400
"""So many marks at most; where there are more locations, neighbours are shown as one."""
LABELLED = 14
"""Up to so many marks have their names beside them."""

_TONES = {
    "Faulted": "bad", "Charging": "busy", "Available": "good", "Unavailable": "off", "offline": "off", "none": "off",
}  # fmt: skip
_WORDS = {
    "Faulted": "fault", "Charging": "charging", "Available": "free", "Unavailable": "out of service",
    "offline": "offline", "none": "no station",
}  # fmt: skip
_WORST_FIRST = tuple(_TONES)
_HEIGHT, _WIDTH = 320, 400
"""In pixels, less what names take beside the marks."""


class Map:
    """The card. Marks are drawn when the browser has made its map, and again only where something changed."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._map: Any = None
        self._zoom = 4.0
        self._marks: dict[str, tuple[dict[str, Any], Any]] = {}
        self._wanted: list[dict[str, Any]] = []
        self._nothing: Element | None = None
        with parts.card("Map", "vb-flush") as head:
            with head, parts.box("div", "vb-legend vb-push"):
                for status in ("Available", "Charging", "Faulted", "offline"):
                    parts.chip(None, _WORDS[status]).classes(replace=f"vb-chip vb-{_TONES[status]}")
            self._place = parts.box("div", "vb-map-place")

    def show(self, found: list[dict[str, Any]]) -> None:
        """These locations."""
        self._wanted = gathered([_placed(each) for each in found], MOST)
        if self._map is not None:
            self._draw()
        elif found:
            self._place.clear()
            with self._place:
                self._make()
        elif self._nothing is None:
            with self._place:
                self._nothing = parts.empty("No location yet", "Locations appear here when they are set up.")

    def _make(self) -> None:
        center, self._zoom = _fitting(self._wanted)
        zoom: Any = self._zoom  # Leaflet knows quarters
        self._map = ui.leaflet(
            center=center, zoom=zoom, options={"attributionControl": False, "zoomSnap": 0.25}
        ).classes("vb-map")
        self._map.props["aria-label"] = "Map of the locations; the page Stations lists them"
        self._map.clear_layers()
        if self._view.console.tiles is not None:
            self._map.tile_layer(url_template=self._view.console.tiles, options={"maxZoom": 19})
        self._map.on("init", self._begin)

    def _begin(self) -> None:
        if self._view.console.tiles is None:
            ui.run_javascript(f"window.voltbridge.ground({self._map.id})")
        self._draw()

    def _draw(self) -> None:
        if not self._map.is_initialized:
            return
        wanted = {each["location"]: each for each in self._wanted}
        for name in self._marks.keys() - wanted.keys():
            self._map.remove_layer(self._marks.pop(name)[1])
        labelled = len(wanted) <= LABELLED
        for name, spot in wanted.items():
            before = self._marks.get(name)
            if before is not None and before[0] == spot:
                continue
            if before is not None:
                self._map.remove_layer(before[1])
            self._marks[name] = (spot, self._mark(spot, labelled=labelled))

    def _mark(self, spot: dict[str, Any], *, labelled: bool) -> Any:
        look = {
            "radius": min(16, 7 + math.sqrt(max(spot["stations"] - 1, 0)) * 2),
            "className": f"vb-mark vb-mark-{_TONES[spot['status']]}",
        }
        place = [spot["latitude"], spot["longitude"]]
        mark = self._map.generic_layer(name="circleMarker", args=[place, look])
        # Leaflet takes markup here, so that every word is escaped.
        told = escape(_sentence(spot))
        title = escape(spot["name"] or spot["location"])
        if labelled:
            left = self._crowded(spot)
            side = (
                {"direction": "left", "offset": [-8, 0]} if left else {"direction": "right", "offset": [8, 0]}
            )
            mark.run_method("bindTooltip", title, {"permanent": True} | side)
        else:
            mark.run_method("bindTooltip", f"{title}<br>{told}")
        address = (
            f"/stations?location={quote(spot['location'], safe='')}" if "cluster" not in spot else "/stations"
        )
        mark.run_method("bindPopup", f'<b>{title}</b><br>{told}<br><a href="{address}">Its stations</a>')
        return mark

    def _crowded(self, spot: dict[str, Any]) -> bool:
        """Whether a neighbour stands where its name would be, on the right."""
        pixels = 256 * 2**self._zoom / 360
        for other in self._wanted:
            right = (other["longitude"] - spot["longitude"]) * pixels
            above = (other["latitude"] - spot["latitude"]) * pixels * 1.6
            if other is not spot and 0 <= right < 150 and abs(above) < 24:
                return True
        return False


def _placed(spot: dict[str, Any]) -> dict[str, Any]:
    return spot | {name: float(spot[name]) for name in ("latitude", "longitude")}


def gathered(found: Sequence[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """The spots, neighbours put together until there are no more than `most`; what matters most gives the colour."""
    size = 0.05
    spots = list(found)
    while len(spots) > most:
        cells: dict[tuple[int, int], list[dict[str, Any]]] = {}
        for each in found:
            cell = (math.floor(each["latitude"] / size), math.floor(each["longitude"] / size))
            cells.setdefault(cell, []).append(each)
        spots = [each[0] if len(each) == 1 else _together(each) for each in cells.values()]
        size *= 1.6
    return spots


def _together(spots: Sequence[dict[str, Any]]) -> dict[str, Any]:
    connectors: dict[str, int] = {}
    for each in spots:
        for status, count in each["connectors"].items():
            connectors[status] = connectors.get(status, 0) + count
    return {
        "location": f"{spots[0]['location']} and others",
        "name": f"{len(spots)} locations",
        "cluster": len(spots),
        "latitude": sum(each["latitude"] for each in spots) / len(spots),
        "longitude": sum(each["longitude"] for each in spots) / len(spots),
        "stations": sum(each["stations"] for each in spots),
        "online": sum(each["online"] for each in spots),
        "connectors": connectors,
        "status": min((each["status"] for each in spots), key=_WORST_FIRST.index),
    }


def _sentence(spot: dict[str, Any]) -> str:
    stations = f"{spot['online']} of {spot['stations']} stations online"
    connectors = ", ".join(f"{count} {status}" for status, count in sorted(spot["connectors"].items()))
    return f"{stations}: {connectors}" if connectors else stations


def _fitting(spots: Iterable[dict[str, Any]]) -> tuple[tuple[float, float], float]:
    """Centre and zoom that show all of them."""
    placed = list(spots)
    if not placed:
        return (50.0, 10.0), 4.0
    south, north = (pick(each["latitude"] for each in placed) for pick in (min, max))
    west, east = (pick(each["longitude"] for each in placed) for pick in (min, max))
    wide = math.log2(360 * _WIDTH / 256 / max(east - west, 0.01))
    high = math.log2(170 * _HEIGHT / 256 / max(north - south, 0.01))
    return ((south + north) / 2, (west + east) / 2), max(1.0, min(13.0, math.floor(min(wide, high) * 4) / 4))
