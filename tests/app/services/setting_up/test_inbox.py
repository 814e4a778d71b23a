"""Refusals are counted cheaply and kept for the stations the house knows of; on both databases."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.domain.charging.state import Names
from app.domain.stations import Admission, SetUp
from app.services.intake.intake import Intake
from app.services.setting_up import inbox as service
from app.services.setting_up.inbox import Inbox
from app.store import station_settings as rows
from app.store.bulk.writer import Writer
from app.store.database.errors import StoreUnavailable

HOW: dict[str, Any] = {
    "address": "10.0.0.7", "subprotocols": ["ocpp1.6"], "credentials": "none", "reason": "pending",
}  # fmt: skip


@pytest.fixture
async def inbox(store: Any, clock: Any) -> AsyncIterator[Inbox]:
    """Of a house that knows the stations A and B."""
    writer = Writer(store, clock)
    names = Names(number=lambda: 1, id=lambda: "id", country_code="NL", party_id="VBR")
    intake = Intake(store, writer, clock, names)
    intake.start()
    for station_id in ("A", "B"):
        await intake.report(station_id, SetUp(state=Admission.PENDING))
    yield Inbox(store, clock)
    await intake.stop()
    await writer.close()


async def test_refusals_add_up_and_the_last_one_is_shown(inbox: Inbox, clock: Any) -> None:
    began = clock.now()
    inbox.refused("A", **HOW)
    inbox.refused("STRANGER", **HOW)
    clock.advance(5)
    inbox.refused("A", **HOW)
    await inbox.keep()
    clock.advance(5)
    inbox.refused(
        "A", **HOW | {"address": "10.0.0.8", "credentials": "password", "subprotocols": ["x" * 99] * 20}
    )
    shown = await inbox.shown(["A", "B", "STRANGER"])
    assert shown.keys() == {"A"}
    knocks = shown["A"]
    assert (knocks.times, knocks.first_at, knocks.last_at) == (3, began, clock.now())
    assert (knocks.address, knocks.credentials) == ("10.0.0.8", "password")
    assert [len(each) for each in knocks.subprotocols] == [60] * 8


async def test_a_flood_of_names_costs_no_memory(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MOST_NAMES", 2)
    for number in range(100):
        inbox.refused(f"X{number}", **HOW)
    inbox.refused("A", **HOW)
    assert await inbox.shown(["A"]) == {}
    inbox.refused("A", **HOW)
    assert (await inbox.shown(["A"]))["A"].times == 1


async def test_what_could_not_be_kept_is_kept_later(
    inbox: Inbox, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox.refused("A", **HOW)
    with monkeypatch.context() as patch:

        async def away(*_: Any) -> None:
            inbox.refused("A", **HOW)
            raise StoreUnavailable("away")

        patch.setattr(service, "_write", away)
        with pytest.raises(StoreUnavailable):
            await inbox.keep()
    inbox.refused("A", **HOW)
    assert (await inbox.shown(["A"]))["A"].times == 3


async def test_a_forgotten_station_leaves_nothing(inbox: Inbox, store: Any, clock: Any) -> None:
    inbox.refused("A", **HOW)
    await inbox.keep()
    async with store.unit_of_work(clock) as unit:
        await rows.forget(unit.session, "A")
    assert await inbox.shown(["A"]) == {}
