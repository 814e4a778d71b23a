"""A station without a password is let in once, told to wait, given a password, and told to boot again."""

import asyncio
from typing import Any

import pytest
import websockets

from app.services.stations import Entry

BOOT = {"chargePointVendor": "V", "chargePointModel": "M"}


async def test_a_station_is_adopted(bridge: Any) -> None:
    bridge.stations.entries["CS1"] = Entry.ADOPTION
    async with bridge.station() as wire:
        answer = await wire.ask([2, "b", "BootNotification", BOOT])
        assert answer[2]["status"] == "Pending"
        change = await wire.receive()
        assert change[2] == "ChangeConfiguration"
        assert change[3]["key"] == "AuthorizationKey"
        assert len(change[3]["value"]) == 40
        await wire.send([3, change[1], {"status": "Accepted"}])
        trigger = await wire.receive()
        assert trigger[2:] == ["TriggerMessage", {"requestedMessage": "BootNotification"}]
        await wire.send([3, trigger[1], {"status": "Accepted"}])
        assert (await wire.ask([2, "c", "BootNotification", BOOT]))[2]["status"] == "Accepted"
    assert bridge.stations.settled == [True]


@pytest.mark.parametrize("answer", [[3, {"status": "NotSupported"}], [4, "NotImplemented", "", {}]])
async def test_a_station_that_refuses_the_password_stays_pending_and_may_try_again(
    bridge: Any, answer: list[Any]
) -> None:
    bridge.stations.entries["CS1"] = Entry.ADOPTION
    async with bridge.station() as wire:
        for attempt in ("b", "c"):
            assert (await wire.ask([2, attempt, "BootNotification", BOOT]))[2]["status"] == "Pending"
            change = await wire.receive()
            await wire.send([answer[0], change[1], *answer[1:]])
            await asyncio.sleep(0.05)
    assert bridge.stations.settled == [False, False]


async def test_only_one_socket_at_a_time_is_let_in_without_a_password(bridge: Any) -> None:
    bridge.stations.entries["CS1"] = Entry.ADOPTION
    async with bridge.station() as wire:
        with pytest.raises(websockets.InvalidStatus) as refusal:
            async with bridge.station():
                pass
        assert refusal.value.response.status_code == 401
        assert await wire.alive()


async def test_a_password_whose_answer_never_came_stays_valid(
    bridge: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ocpp_bridge.server.adoption.ANSWER_SECONDS", 0.05)
    bridge.stations.entries["CS1"] = Entry.ADOPTION
    async with bridge.station() as wire:
        await wire.ask([2, "b", "BootNotification", BOOT])
        await wire.receive()
        await asyncio.sleep(0.1)
    assert bridge.stations.offered == ["CS1"]
    assert bridge.stations.settled == []
