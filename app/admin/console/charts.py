"""How charts look. What they show are numbers, times and plain names; tooltips are text, never markup."""

from typing import Any

GREY = "#7d8b98"
TEAL, BLUE, AMBER = "#1a8f83", "#2f74d0", "#c98a1b"


def over_time(unit: str) -> dict[str, Any]:
    """A chart over time with one axis; its series are set as they come."""
    return _base() | {
        "xAxis": {
            "type": "time",
            "axisLabel": {"color": GREY, "hideOverlap": True},
            "axisLine": {"lineStyle": {"color": GREY}},
        },
        "yAxis": value_axis(unit),
    }


def bars(unit: str) -> dict[str, Any]:
    """Upright bars by name."""
    return _base() | {"xAxis": _names(), "yAxis": value_axis(unit)}


def lying_bars() -> dict[str, Any]:
    """Lying bars, the first on top, with room for names on the left."""
    return _base() | {
        "grid": {"left": 10, "right": 24, "top": 10, "bottom": 26, "containLabel": True},
        "yAxis": _names() | {"inverse": True},
        "xAxis": value_axis("") | {"splitNumber": 4, "axisLabel": {"color": GREY, "hideOverlap": True}},
    }


def value_axis(unit: str) -> dict[str, Any]:
    """An axis of numbers from zero."""
    return {
        "type": "value",
        "name": unit,
        "min": 0,
        "nameTextStyle": {"color": GREY},
        "axisLabel": {"color": GREY},
        "splitLine": {"lineStyle": {"color": GREY, "opacity": 0.2}},
    }


def _names() -> dict[str, Any]:
    return {
        "type": "category",
        "data": [],
        "axisLabel": {"color": GREY, "width": 150, "overflow": "truncate"},
        "axisLine": {"lineStyle": {"color": GREY}},
        "axisTick": {"show": False},
    }


def _base() -> dict[str, Any]:
    return {
        "animation": False,
        "useUTC": False,
        "grid": {"left": 52, "right": 20, "top": 34, "bottom": 28},
        "tooltip": {"trigger": "axis", "renderMode": "richText", "confine": True},
        "series": [],
    }
