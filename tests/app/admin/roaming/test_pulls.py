"""What operators see of the lists that we read of partners."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from app.kit.clock import SystemClock
from app.store.database.engine import Store
from app.store.hub import pulls
from app.store.hub.pulls import Counts

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
LATER = AT + timedelta(hours=1)


async def note(store: Store, module: str, at: datetime, *counts: int, **more: object) -> None:
    said = {"whole": True, "error": None} | more
    async with store.unit_of_work(SystemClock()) as unit:
        await pulls.note(unit.session, "p-1", module, at, Counts(*counts), **said)  # type: ignore[arg-type]


async def test_a_list_shows_its_last_reading_and_when_it_last_came_to_its_end(
    api: httpx.AsyncClient, store: Store
) -> None:
    await note(store, "tariffs", AT, 7, 5, 2, 1)
    await note(store, "locations", AT, 3, 3, 0)
    await note(store, "locations", LATER, 1, 1, 0, whole=False)
    await note(store, "tariffs", LATER, 2, 0, 0, error="no answer in time")

    answer = await api.get("/pulls?partner=p-1")

    assert answer.headers["x-total-count"] == "2"
    locations, tariffs = answer.json()
    assert (locations["module"], locations["pulled_at"], locations["whole_at"]) == (
        "locations", "2026-11-20T13:00:00Z", "2026-11-20T12:00:00Z",
    )  # fmt: skip
    assert tariffs == {
        "partner": "p-1", "name": None, "platform": None, "module": "tariffs",
        "tried_at": "2026-11-20T13:00:00Z", "pulled_at": "2026-11-20T12:00:00Z", "whole_at": "2026-11-20T12:00:00Z",
        "entries": 2, "kept": 0, "skipped": 0, "withdrawn": 0, "error": "no answer in time",
    }  # fmt: skip


@pytest.mark.parametrize(("query", "many"), [("limit=1", 1), ("offset=1", 1), ("partner=p-2", 0)])
async def test_a_part_of_them(api: httpx.AsyncClient, store: Store, query: str, many: int) -> None:
    for module in ("tariffs", "locations"):
        await note(store, module, AT, 1, 1, 0)
    assert len((await api.get(f"/pulls?{query}")).json()) == many
