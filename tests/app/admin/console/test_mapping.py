"""Many locations on the map become few marks, and the worst of them gives its colour."""

import pytest

pytest.importorskip("nicegui", reason="the console is not installed (extra console)")

from app.admin.console.mapping import gathered


def spot(number, status="Available", **connectors):
    return {
        "location": f"L{number}",
        "name": None,
        "latitude": 50 + number % 100 / 50,
        "longitude": 8 + number // 100 / 50,
        "stations": 1,
        "online": 1,
        "connectors": connectors,
        "status": status,
    }


def test_few_stay_as_they_are():
    found = [spot(1), spot(2)]
    assert gathered(found, 400) == found


def test_neighbours_are_put_together():
    found = [spot(n, Available=1) for n in range(10_000)]
    found[77] = spot(77, "Faulted", Faulted=1)
    marks = gathered(found, 400)
    assert 10 < len(marks) <= 400
    assert sum(each["stations"] for each in marks) == 10_000
    assert sum(each["connectors"].get("Available", 0) for each in marks) == 9999
    assert [each["status"] for each in marks].count("Faulted") == 1
