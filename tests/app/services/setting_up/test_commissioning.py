"""Commissioning and asking after a reconnect, on a real store and intake, with stations that answer as told."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.domain.charging.state import Names
from app.domain.commands import Outcome, OutcomeKind
from app.domain.errors import Conflict, NotFound
from app.domain.stations import (
    Admission,
    BootReport,
    ConnectorLink,
    Learned,
    SetUp,
    StatusReport,
)
from app.domain.status import ConnectorStatus
from app.domain.upkeep.setting_up import MOST_READS, Commissioning, Stage, Tuned
from app.kit import tasks
from app.services.commands import Commands
from app.services.intake.calls import Call, Line
from app.services.intake.intake import Intake
from app.services.setting_up import commissioning, fresh_status
from app.services.setting_up.commissioning import Commissioner
from app.services.setting_up.fresh_status import FreshStatus
from app.services.setting_up.station_settings import StationSettings
from app.store import commands, stations
from app.store.bulk.writer import Writer
from app.store.database.errors import StoreUnavailable
from ocpp_bridge.v16.settings import Settings16

SILENT = Outcome(kind=OutcomeKind.TIMEOUT)


class Gateway:
    """One station: its settings, and what it does when it is called."""

    def __init__(self) -> None:
        self.settings = {"HeartbeatInterval": "60", "TransactionMessageAttempts": "3"}
        self.calls: list[tuple[str, Any]] = []
        self.silent_for: set[str] = set()
        self.refusing: Exception | None = None
        self.trigger = "Accepted"

    def here(self, _station_id: str) -> bool:
        return True

    async def check(self, _station_id: str, _action: str, _payload: Any) -> None:
        if self.refusing is not None:
            raise self.refusing

    async def call(self, _station_id: str, action: str, payload: Any, **_: Any) -> Outcome:
        self.calls.append((action, payload))
        if action in self.silent_for or str(payload.get("key")) in self.silent_for:
            return SILENT
        response: dict[str, Any] = {"status": "Accepted"}
        if action == "GetConfiguration":
            names = payload.get("key") or [*self.settings]
            known = [
                {"key": key, "value": self.settings[key], "readonly": False}
                for key in names
                if key in self.settings
            ]
            response = {"configurationKey": known}
        elif action == "ChangeConfiguration":
            self.settings[payload["key"]] = payload["value"]
        else:
            response = {"status": self.trigger}
        return Outcome(kind=OutcomeKind.RESULT, response=response)

    def changed(self) -> list[str]:
        return [payload["key"] for action, payload in self.calls if action == "ChangeConfiguration"]


class House:
    """A store, an intake, and those who see to stations."""

    def __init__(self, store: Any, clock: Any) -> None:
        self.store, self.clock, self.gateway = store, clock, Gateway()
        self.writer = Writer(store, clock)
        names = Names(number=lambda: 1, id=lambda: "id", country_code="NL", party_id="VBR")
        self.intake = Intake(store, self.writer, clock, names)
        self.settings = StationSettings(
            store, clock, Commands(store, clock, self.gateway), Settings16(), self.intake
        )
        self.commissioner = Commissioner(store, clock, self.intake, self.settings)
        self.fresh = FreshStatus(clock, self.intake, self.settings)
        store.after_commit(self.commissioner.heard)
        store.after_commit(self.fresh.heard)

    async def say(self, line: Line, report: Any) -> None:
        over = asyncio.Event()
        self.intake.take(
            Call(
                line=line,
                report=report,
                request=b"[]",
                message_id="m",
                action="X",
                reply=lambda _: b"[]",
                done=lambda _call, _error: over.set(),
            )
        )
        await over.wait()

    async def boot(self, line: Line, firmware: str = "1") -> None:
        await self.say(line, BootReport(vendor="V", model="M", firmware_version=firmware))

    async def settle(self, seconds: float = 30) -> None:
        """Time passes, and what is due is done."""
        self.clock.advance(seconds)
        for queue in (self.commissioner.queue, self.fresh.queue):
            await queue.go_on()
        await asyncio.sleep(0)
        assert await tasks_done()

    async def station(self) -> Any:
        async with self.store.reading() as session:
            found = await stations.get(session, "CP1")
        assert found is not None
        return found.station

    async def progress(self) -> Commissioning | None:
        found: Commissioning | None = (await self.station()).commissioning
        return found


async def tasks_done() -> bool:
    """Everything begun is over but the intake itself, which never ends by itself."""
    for _ in range(500):
        if all(task.get_name() == "intake" for task in tasks.running()):
            return True
        await asyncio.sleep(0.01)
    return False


@pytest.fixture
async def house(store: Any, clock: Any) -> AsyncIterator[House]:
    house = House(store, clock)
    house.intake.start()
    await house.intake.report("CP1", SetUp())
    yield house
    await house.intake.stop()
    await house.writer.close()


async def test_it_begins_after_a_while_and_is_done_once(house: House) -> None:
    line = await house.intake.connect("CP1", "1.6")
    await house.settle()
    assert house.gateway.calls == []
    await house.boot(line)
    await house.settle(commissioning.DELAY_SECONDS / 2)
    assert house.gateway.calls == []
    await house.settle()
    progress = await house.progress()
    assert progress is not None
    assert (progress.stage, progress.made_for) == (Stage.DONE, "V M 1")
    assert house.gateway.changed() == ["HeartbeatInterval", "TransactionMessageAttempts"]
    calls = len(house.gateway.calls)
    await house.boot(line)
    await house.intake.connect("CP1", "1.6")
    await house.settle(60)
    assert len(house.gateway.calls) == calls
    await house.boot(await house.intake.connect("CP1", "1.6"), firmware="2")
    await house.settle()
    assert len(house.gateway.calls) > calls
    async with house.store.reading() as session:
        kept, total = await commands.find(session, station_id="CP1", limit=100)
    assert total == len(house.gateway.calls)
    assert {each.origin for each in kept} == {"commissioning"}


async def test_a_change_without_an_answer_is_offered_once_more_and_then_given_up(house: House) -> None:
    house.gateway.silent_for = {"HeartbeatInterval"}
    await house.boot(await house.intake.connect("CP1", "1.6"))
    await house.settle()
    progress = await house.progress()
    assert progress is not None
    assert progress.stage is Stage.UNDER_WAY
    await house.settle(commissioning.AGAIN_SECONDS)
    await house.settle(commissioning.AGAIN_SECONDS)
    progress = await house.progress()
    assert progress is not None
    given_up = progress.key("HeartbeatInterval")
    assert given_up is not None
    assert (progress.stage, given_up.outcome, given_up.tries) == (Stage.DONE, Tuned.UNANSWERED, 2)
    assert house.gateway.changed().count("HeartbeatInterval") == 2
    assert house.gateway.changed().count("TransactionMessageAttempts") == 1


async def test_a_station_that_never_answers_is_left_in_peace(house: House) -> None:
    house.gateway.silent_for = {"GetConfiguration"}
    await house.boot(await house.intake.connect("CP1", "1.6"))
    for _ in range(MOST_READS + 2):
        await house.settle(commissioning.AGAIN_SECONDS)
    progress = await house.progress()
    assert progress is not None
    assert progress.stage is Stage.UNANSWERED
    assert len(house.gateway.calls) == MOST_READS


@pytest.mark.parametrize(
    ("refusal", "stage"), [(NotFound("no such call"), Stage.NOT_SUPPORTED), (Conflict("gone"), None)]
)
async def test_calls_that_cannot_be_made(house: House, refusal: Exception, stage: Stage | None) -> None:
    house.gateway.refusing = refusal
    await house.boot(await house.intake.connect("CP1", "1.6"))
    await house.settle()
    progress = await house.progress()
    assert (None if progress is None else progress.stage) is stage
    house.gateway.refusing = None
    await house.settle(commissioning.AGAIN_SECONDS)
    assert bool(house.gateway.calls) is (stage is None)


async def test_the_rest_is_done_when_the_store_is_back(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await house.boot(await house.intake.connect("CP1", "1.6"))

    async def away(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(house.settings, "read", away)
        await house.settle()
    assert await house.progress() is None
    await house.settle(60)
    progress = await house.progress()
    assert progress is not None
    assert progress.stage is Stage.DONE


async def test_neither_strangers_nor_stations_under_adoption_nor_lost_ones(house: House) -> None:
    line = await house.intake.connect("CP1", "1.6")
    await house.intake.report("CP1", SetUp(state=Admission.PENDING))
    await house.boot(line)
    await house.settle()
    assert house.gateway.calls == []
    async with house.store.unit_of_work(house.clock) as unit:
        await stations.adopt_until(unit.session, "CP1", house.clock.now().replace(year=2027))
    await house.intake.report("CP1", SetUp(state=Admission.ACCEPTED))
    await house.settle()
    assert house.gateway.calls == []
    async with house.store.unit_of_work(house.clock) as unit:
        await stations.adopt_until(unit.session, "CP1", None)
    await house.intake.disconnect(line)
    await house.boot(await house.intake.connect("CP1", "1.6"))
    await house.settle()
    assert house.gateway.changed() == ["HeartbeatInterval", "TransactionMessageAttempts"]


async def test_missing_settings_are_asked_for_by_name_in_portions(house: House) -> None:
    hidden = {"ConnectionTimeOut": "45"}
    everything = house.gateway.settings | {"GetConfigurationMaxKeys": "2"}
    house.gateway.settings = everything
    ask = house.gateway.call

    async def shy(station_id: str, action: str, payload: Any, **more: Any) -> Outcome:
        house.gateway.settings = everything | hidden if payload.get("key") else everything
        return await ask(station_id, action, payload, **more)

    house.gateway.call = shy  # type: ignore[method-assign]
    told = await house.settings.read("CP1", named=("HeartbeatInterval", "ConnectionTimeOut", "A", "B"))
    asked = [payload.get("key") for _, payload in house.gateway.calls]
    assert asked == [None, ["ConnectionTimeOut", "A"], ["B"]]
    assert told.find("connectiontimeout") is not None
    assert (await house.station()).connection_timeout == 45


async def test_no_password_is_kept_or_shown(house: House) -> None:
    house.gateway.settings = {
        "AuthorizationKey": "hush", "WifiPassword": "hush", "AuthorizationCacheEnabled": "true", "Name": "x",
    }  # fmt: skip
    await house.settings.read("CP1")
    await house.settings.change("CP1", "WifiPassword", "hush")
    kept = await house.settings.kept("CP1")
    assert kept is not None
    assert {each.key: each.value for each in kept.settings} == {
        "AuthorizationKey": "***", "WifiPassword": "***", "AuthorizationCacheEnabled": "true", "Name": "x",
    }  # fmt: skip


LINKS = (
    ConnectorLink(evse=1, evse_uid="E1", connector_id="1"),
    ConnectorLink(evse=2, evse_uid="E2", connector_id="1"),
)


def available(evse: int) -> StatusReport:
    return StatusReport(evse=evse, connector=1, status=ConnectorStatus.AVAILABLE)


@pytest.mark.parametrize(
    ("says", "asked"),
    [((), 1), ((1,), 1), ((1, 2), 0), (("boot",), 0)],
)
async def test_only_what_was_left_open_is_asked_after_a_reconnect(
    house: House, says: tuple[Any, ...], asked: int
) -> None:
    await house.intake.report("CP1", SetUp(connectors=LINKS))
    line = await house.intake.connect("CP1", "1.6")
    await house.boot(line)
    for evse in (1, 2):
        await house.say(line, available(evse))
    await house.settle(60)
    await house.intake.disconnect(line)
    house.clock.advance(60)
    line = await house.intake.connect("CP1", "1.6")
    for word in says:
        await (house.boot(line) if word == "boot" else house.say(line, available(word)))
    await house.settle(fresh_status.DELAY_SECONDS)
    triggers = [payload for action, payload in house.gateway.calls if action == "TriggerMessage"]
    assert triggers == [{"requestedMessage": "StatusNotification"}] * asked


@pytest.mark.parametrize(
    ("trigger", "known", "asked", "learned"),
    [
        ("NotImplemented", None, 1, False),
        ("Accepted", None, 2, True),
        ("Rejected", None, 2, None),
        ("Accepted", False, 0, False),
    ],
)
async def test_whether_it_can_be_asked_is_remembered(
    house: House, trigger: str, known: bool | None, asked: int, learned: bool | None
) -> None:
    house.gateway.trigger = trigger
    await house.intake.report("CP1", SetUp(connectors=LINKS))
    line = await house.intake.connect("CP1", "1.6")
    await house.boot(line)
    await house.settle(60)
    await house.intake.report("CP1", Learned(triggers=known))
    for _ in range(2):
        house.clock.advance(60)
        await house.intake.connect("CP1", "1.6")
        await house.settle(fresh_status.DELAY_SECONDS)
    assert sum(action == "TriggerMessage" for action, _ in house.gateway.calls) == asked
    assert (await house.station()).triggers is learned


async def test_a_thousand_that_come_back_together_are_asked_one_after_the_other(house: House) -> None:
    await house.intake.report("CP1", SetUp(connectors=LINKS))
    await house.boot(await house.intake.connect("CP1", "1.6"))
    for number in range(1000):
        house.fresh.queue.ask(f"X{number}")
    assert len(house.fresh.queue) <= 1001
    begun = len(house.fresh.queue)
    await house.settle(60)
    assert begun - len(house.fresh.queue) == fresh_status.PER_SECOND / 2
