"""Frames that no station should send: each gets a clear answer, and no connection breaks, its own or another's."""

import asyncio
import json
from typing import Any

import pytest
import websockets

from app.domain.stations import Refused, Unreadable
from app.domain.transactions import TransactionEnded, TransactionMetered, TransactionStarted

DEEP = "[" * 100_000 + "]" * 100_000

ANSWERED = [
    ('[2,"m"]', "ProtocolError"),
    ('[2,"m","Heartbeat"]', "ProtocolError"),
    ('[2,"m","Heartbeat",{},{}]', "FormationViolation"),
    ('[2,"m",{"a":1},{}]', "FormationViolation"),
    ('[2,"m",["Heartbeat"],{}]', "FormationViolation"),
    ('[2,"m",null,{}]', "FormationViolation"),
    ('[5,"m","Heartbeat",{}]', "FormationViolation"),
    ('["2","m","Heartbeat",{}]', "FormationViolation"),
    ('[2,"m","Heartbeat",[]]', "FormationViolation"),
    ('[2,"m","Heartbeat",null]', "FormationViolation"),
    ('[2,"m","Heartbeat",{', "FormationViolation"),
    (f'[2,"m","Heartbeat",{DEEP}]', "FormationViolation"),
    (f'[2,"m","DataTransfer",{{"vendorId":"v","x":{DEEP}}}]', "FormationViolation"),
    (f'[2,"m","{"x" * 1000}",{{}}]', "NotImplemented"),
    ('[2,"m","Frobnicate",{}]', "NotImplemented"),
    ('[2,"m","SignCertificate",{"csr":"x"}]', "NotSupported"),
    ('[2,"m","RemoteStartTransaction",{"idTag":"x"}]', "NotSupported"),
    ('[2,"m","BootNotification",{}]', "ProtocolError"),
    ('[2,"m","BootNotification",{"chargePointVendor":5,"chargePointModel":"x"}]', "TypeConstraintViolation"),
    ('[2,"m","Authorize",{"idTag":{"a":1}}]', "TypeConstraintViolation"),
    ('[2,"m","StatusNotification",{"connectorId":-1,"errorCode":"NoError","status":"Available"}]',
     "PropertyConstraintViolation"),
    (f'[2,"m","StatusNotification",{{"connectorId":{"9" * 5000},"errorCode":"NoError","status":"Available"}}]',
     "TypeConstraintViolation"),
]  # fmt: skip


@pytest.mark.parametrize(("frame", "code"), ANSWERED, ids=[frame[:60] for frame, _ in ANSWERED])
async def test_a_frame_with_a_readable_message_id_gets_an_error(bridge: Any, frame: str, code: str) -> None:
    async with bridge.station() as wire:
        answer = await wire.ask(frame)
        assert answer[:3] == [4, "m", code]
        assert len(answer) == 5
        assert answer[4] == {}
        assert len(answer[3]) <= 255
        assert isinstance(bridge.intake.reports[0], Refused)
        assert bridge.intake.calls[0].outcome == "error"
        assert bridge.intake.calls[0].request == frame.encode()
        assert await wire.alive()


DROPPED = [
    "", "x", "null", "{}", "[]", "[2]", "17", '"text"', "[2,", DEEP, "[" * 100_000, '[2,{"a":1},"Heartbeat",{}]',
    '[2,null,"Heartbeat",{}]', '[2,true,"Heartbeat",{}]', '[3,"nobody","asked"]', '[3,"nobody",{}]', "[3]",
    '[4,"nobody","GenericError","",{}]', '[4,"nobody"]', b"\xff\xfe\x00", b"", '[NaN,"m"]',
    f'[2,"{"i" * 256}","Heartbeat",{{}}]', f'[2,{"9" * 5000},"Heartbeat",{{}}]',
]  # fmt: skip


@pytest.mark.parametrize("frame", DROPPED, ids=[repr(frame)[:40] for frame in DROPPED])
async def test_a_frame_that_cannot_be_answered_is_dropped(bridge: Any, frame: str | bytes) -> None:
    async with bridge.station() as wire:
        await wire.send(frame)
        assert await wire.alive()


async def test_message_ids_of_odd_forms_come_back_as_they_were(bridge: Any) -> None:
    async with bridge.station() as wire:
        for given, echoed in (
            ('"\\u00e9\\"\\\\"', 'é"\\'), ("17", 17), ("-3.5", -3.5), ('""', ""), (f'"{"i" * 200}"', "i" * 200),
            ('"a\\u0000b"', "a\ufffdb"), ('"\\ud800"', "\ufffd"),
        ):  # fmt: skip
            answer = await wire.ask(f'[2,{given},"Heartbeat",{{}}]')
            assert answer[:2] == [3, echoed]


async def test_binary_frames(bridge: Any) -> None:
    async with bridge.station() as wire:
        assert (await wire.ask(b'[2,"m","Heartbeat",{}]'))[:3] == [4, "m", "FormationViolation"]
        stop = (
            b'[2,"n","StopTransaction",{"transactionId":7,"meterStop":9,"timestamp":"2026-11-20T10:00:00Z"}]'
        )
        assert await wire.ask(stop) == [3, "n", {}]
        assert "binary frame" in bridge.intake.calls[-1].deviations
        assert isinstance(bridge.intake.reports[-1], TransactionEnded)


@pytest.mark.parametrize(
    ("frame", "answer"),
    [
        ('[2,"m","StartTransaction",{}]', [3, "m", {"transactionId": 4711, "idTagInfo": {"status": "Accepted"}}]),
        ('[2,"m","StartTransaction",[]]', [3, "m", {"transactionId": 4711, "idTagInfo": {"status": "Accepted"}}]),
        ('[2,"m","StopTransaction",{"transactionId":1,"meterStop":1', [3, "m", {}]),
        ('[2,"m","StopTransaction"]', [3, "m", {}]),
        (f'[2,"m","StopTransaction",{DEEP}]', [3, "m", {}]),
        ('[2,"m","StopTransaction",[]]', [3, "m", {}]),
        ('[2,"m","MeterValues",{}]', [3, "m", {}]),
    ],
    ids=lambda value: str(value)[:60],
)  # fmt: skip
async def test_transaction_messages_nobody_can_read_are_kept_and_acknowledged(
    bridge: Any, frame: str, answer: list[Any]
) -> None:
    async with bridge.station() as wire:
        assert await wire.ask(frame) == answer
        assert isinstance(bridge.intake.reports[0], Unreadable)
        assert bridge.intake.calls[0].request == frame.encode()


async def test_a_transaction_message_without_a_usable_id_is_kept_although_it_cannot_be_answered(
    bridge: Any,
) -> None:
    async with bridge.station() as wire:
        await wire.send(
            '[2,{},"StopTransaction",{"transactionId":7,"meterStop":9,"timestamp":"2026-11-20T10:00:00Z"}]'
        )
        assert await wire.alive()
        assert isinstance(bridge.intake.reports[0], TransactionEnded)


@pytest.mark.parametrize(
    "frame", ['[2,"m\\', '{"StopTransaction":1}', b"\xff StopTransaction", "StopTransaction"]
)
async def test_what_names_a_transaction_message_is_kept_even_if_it_is_no_frame_at_all(
    bridge: Any, frame: str | bytes
) -> None:
    async with bridge.station() as wire:
        await wire.send(frame)
        assert await wire.alive()
    kept = [call.request for call in bridge.intake.calls if isinstance(call.report, Unreadable)]
    data = frame if isinstance(frame, bytes) else frame.encode()
    assert kept == ([data] if b"StopTransaction" in data else [])


async def test_two_megabytes_are_processed(bridge: Any) -> None:
    sample = {"value": "1234", "measurand": "Voltage", "unit": "V"}
    value = {"timestamp": "2026-11-20T10:00:00Z", "sampledValue": [sample] * 40}
    stop = {
        "transactionId": 7, "meterStop": 9, "timestamp": "2026-11-20T10:00:00Z", "transactionData": [value] * 1000
    }  # fmt: skip
    frame = json.dumps([2, "m", "StopTransaction", stop])
    assert len(frame) > 2_000_000
    async with bridge.station() as wire:
        assert await wire.ask(frame) == [3, "m", {}]
        assert len(bridge.intake.reports[0].samples) == 1000
        # The same with every frame of the slow path: an unknown property in each meter value.
        odd = frame.replace('"sampledValue"', '"extra":1,"sampledValue"', 1).replace('"m"', '"n"', 1)
        assert await wire.ask(odd) == [3, "n", {}]
        assert len(bridge.intake.reports[1].samples) == 1000
        transfer = json.dumps([2, "o", "DataTransfer", {"vendorId": "v", "data": "x" * 2_000_000}])
        assert (await wire.ask(transfer))[:2] == [3, "o"]


async def test_other_messages_than_transactions_may_not_be_huge(bridge: Any) -> None:
    async with bridge.station() as wire:
        frame = json.dumps([2, "o", "DataTransfer", {"vendorId": "v", "data": "x" * 5_000_000}])
        assert (await wire.ask(frame))[:3] == [4, "o", "GenericError"]


async def test_nine_megabytes_close_with_1009_and_hurt_nobody_else(bridge: Any) -> None:
    async with bridge.station("CS2") as other, bridge.station("CS1") as wire:
        with pytest.raises(websockets.ConnectionClosed):
            await wire.ask(json.dumps([2, "m", "DataTransfer", {"vendorId": "v", "data": "x" * 9_000_000}]))
        assert await wire.closed() == 1009
        assert await other.alive()
        async with bridge.station("CS1") as again:
            assert await again.alive()


async def test_duplicate_message_ids(bridge: Any) -> None:
    beat = '[2,"d","Heartbeat",{}]'
    start = {"connectorId": 1, "idTag": "A", "meterStart": 1, "timestamp": "2026-11-20T10:00:00Z"}
    async with bridge.station() as wire:
        first = await wire.ask(beat)
        assert await wire.ask(beat) == first
        assert len(bridge.intake.calls) == 1
        other = await wire.ask('[2,"d","Authorize",{"idTag":"A"}]')
        assert other[:3] == [4, "d", "GenericError"]
        assert (await wire.ask([2, "d", "StartTransaction", start]))[2]["transactionId"] == 4711
        assert "message id used before" in bridge.intake.calls[-1].deviations
        assert isinstance(bridge.intake.reports[-1], TransactionStarted)


async def test_a_repetition_while_the_first_is_under_way_gets_the_same_answer_once_it_is_there(
    bridge: Any,
) -> None:
    bridge.intake.held = []
    async with bridge.station() as wire:
        await wire.send('[2,"d","Heartbeat",{}]')
        await wire.send('[2,"d","Heartbeat",{}]')
        await asyncio.sleep(0.05)
        bridge.intake.release()
        assert (await wire.receive()) == (await wire.receive())
        assert len(bridge.intake.calls) == 1


async def test_too_many_unsolicited_answers_close_the_socket(bridge: Any) -> None:
    async with bridge.station("CS2") as other, bridge.station() as wire:
        for number in range(61):
            await wire.send([3, f"n{number}", {}])
        assert await wire.closed() == 1008
        assert await other.alive()


async def test_texts_that_no_database_keeps_are_cleaned(bridge: Any) -> None:
    async with bridge.station() as wire:
        start = (
            '{"connectorId":1,"idTag":"A\\u0000B\\ud800","meterStart":1,"timestamp":"2026-11-20T10:00:00Z"}'
        )
        assert (await wire.ask(f'[2,"m","StartTransaction",{start}]'))[0] == 3
        assert bridge.intake.reports[0].id_tag == "A\ufffdB\ufffd"
        assert "NUL or half a character in a text" in bridge.intake.calls[0].deviations


async def test_the_error_text_repeats_nothing_of_what_was_sent(bridge: Any) -> None:
    async with bridge.station() as wire:
        for frame in (
            '[2,"m","BootNotification",{"chargePointVendor":{"<script>":1}}]',
            '[2,"m","<script>",{}]',
        ):
            assert "script" not in json.dumps(await wire.ask(frame))


async def test_a_fault_of_our_own_costs_no_message_and_no_other_connection(
    bridge: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    async with bridge.station("CS2") as other, bridge.station() as wire:
        monkeypatch.setattr("ocpp_bridge.server.connection.translate", broken)
        assert (await wire.ask([2, "m", "Heartbeat", {}]))[:3] == [4, "m", "InternalError"]
        assert (await wire.ask([2, "n", "MeterValues", {"connectorId": 1, "meterValue": []}])) == [3, "n", {}]
        assert isinstance(bridge.intake.reports[-1], Unreadable)
        monkeypatch.undo()
        monkeypatch.setattr("ocpp_bridge.server.connection.rpc.parse", broken)
        await wire.send([2, "o", "Heartbeat", {}])
        assert await wire.closed() == 1013
        monkeypatch.undo()
        assert await other.alive()


async def test_absurd_values_are_taken_as_reported(bridge: Any) -> None:
    meter = {"timestamp": "1970-01-01T00:00:00Z", "sampledValue": [{"value": "-99999999999999999999"}]}
    async with bridge.station() as wire:
        frame = [2, "m", "MeterValues", {"connectorId": 10**20, "transactionId": -1, "meterValue": [meter]}]
        assert await wire.ask(frame) == [3, "m", {}]
        report = bridge.intake.reports[0]
        assert isinstance(report, TransactionMetered)
        assert (report.evse, report.connector, report.transaction_id) == (0, 0, -1)
        assert report.samples[0].at is None
        assert {"timestamp out of range", "connectorId out of range"} <= set(
            bridge.intake.calls[0].deviations
        )
