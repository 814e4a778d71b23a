"""Bad frames from stations, over the real program: a clear answer, the connection lives, nothing stored changes."""

import asyncio
import json
from contextlib import suppress

import pytest
import websockets

from tests.flows.house import until
from tests.flows.site import set_up
from tests.flows.station import ago, socket_of, stamp, wire

DEEP = "[" * 100_000 + "]" * 100_000

REFUSED = {
    "a missing payload": ('[2,"m","Heartbeat"]', "ProtocolError"),
    "a missing action": ('[2,"m"]', "ProtocolError"),
    "an extra element": ('[2,"m","Heartbeat",{},{}]', "FormationViolation"),
    "an object as action": ('[2,"m",{"a":1},{}]', "FormationViolation"),
    "a list as payload": ('[2,"m","Heartbeat",[]]', "FormationViolation"),
    "a wrong type id": ('[7,"m","Heartbeat",{}]', "FormationViolation"),
    "an unknown action": ('[2,"m","Teleport",{}]', "NotImplemented"),
    "an action of ours": ('[2,"m","Reset",{"type":"Hard"}]', "NotSupported"),
    "JSON that breaks off": ('[2,"m","Heartbeat",{', "FormationViolation"),
    "100 000 nested arrays as payload": (f'[2,"m","Heartbeat",{DEEP}]', "FormationViolation"),
    "a binary frame": (b'[2,"m","Heartbeat",{}]', "FormationViolation"),
    "a boot without its fields": ('[2,"m","BootNotification",{}]', "ProtocolError"),
    "a number as idTag": ('[2,"m","Authorize",{"idTag":{}}]', "TypeConstraintViolation"),
    "a negative connector": (
        '[2,"m","StatusNotification",{"connectorId":-1,"errorCode":"NoError","status":"Available"}]',
        "PropertyConstraintViolation",
    ),
}
DROPPED = {
    "no JSON": "hello",
    "nothing": "",
    "a number": "17",
    "an object": "{}",
    "an empty list": "[]",
    "100 000 nested arrays": DEEP,
    "no message id": '[2,null,"Heartbeat",{}]',
    "binary noise": b"\xff\xfe\x00\x01",
    "an answer nobody asked for": '[3,"nobody",{}]',
    "an error nobody asked for": '[4,"nobody","GenericError","",{}]',
}


async def stored(house, site):
    """What the operator sees of everything a station can change, but for the count of oddities themselves."""
    station = await house.admin.get(f"stations/{site.station}")
    for name in ("last_seen", "last_updated", "tolerated"):
        station.pop(name)
    return (
        station,
        await house.admin.get(f"locations/{site.location}"),
        await house.admin.all("transactions", station=site.station),
        await house.admin.cdrs(site.station),
    )


async def test_a_frame_with_a_readable_id_gets_an_error_by_its_name_and_changes_nothing(house):
    site = await set_up(house)
    async with wire(house, site.station) as station, wire(house, (await set_up(house)).station) as other:
        before = await stored(house, site)
        for number, (what, (frame, code)) in enumerate(REFUSED.items()):
            given = f'"{number}"'
            named = (
                frame.replace(b'"m"', given.encode())
                if isinstance(frame, bytes)
                else frame.replace('"m"', given)
            )
            answer = await station.ask(named)
            assert (what, answer[:3]) == (what, [4, str(number), code])
            assert len(json.dumps(answer)) < 512
            assert await station.alive()
        assert await other.alive()
        assert await stored(house, site) == before
    kept = [each for each in await house.admin.frames(site.station) if each["outcome"] == "error"]
    assert len(kept) == len(REFUSED)


async def test_what_cannot_be_answered_is_dropped_and_changes_nothing(house):
    site = await set_up(house)
    async with wire(house, site.station) as station:
        before = await stored(house, site)
        for frame in DROPPED.values():
            await station.send(frame)
            assert await station.alive()
        assert await stored(house, site) == before


async def test_answers_nobody_asked_for_end_the_connection_when_there_are_too_many(house):
    site, neighbour = await set_up(house), await set_up(house)
    async with wire(house, neighbour.station) as other:
        async with wire(house, site.station) as station:
            with suppress(websockets.ConnectionClosed):
                for _ in range(500):
                    await station.send('[3,"nobody",{}]')
            await asyncio.wait_for(station.socket.wait_closed(), 30)
            assert station.socket.close_code == 1008
        assert await other.alive()
    async with wire(house, site.station) as station:
        assert await station.alive()


async def test_nine_megabytes_close_the_connection_and_no_other(house):
    site, neighbour = await set_up(house), await set_up(house)
    async with wire(house, neighbour.station) as other, wire(house, site.station) as station:
        before = await stored(house, site)
        await station.send(f'[2,"m","DataTransfer",{{"vendorId":"v","data":"{"x" * 9 * 2**20}"}}]')
        close = await until(lambda: station.socket.protocol.close_rcvd)
        assert close.code == 1009
        # The house reads on for a while, so that its close arrives; no need to wait for that.
        station.socket.transport.abort()
        assert await other.alive()
    after = await stored(house, site)
    assert after[1:] == before[1:]


async def test_odd_texts_are_kept_and_shown_without_harm(house):
    site = await set_up(house)
    texts = [
        "<script>alert(1)</script>",
        "=1+1",
        "../../etc/passwd",
        "a\u0000b",
        "\ud83d",
        "'; DROP TABLE stations;--",
    ]
    async with wire(house, site.station) as station:
        for text in texts:
            await station.call("Authorize", {"idTag": text})
            await station.call(
                "StatusNotification",
                {
                    "connectorId": 1,
                    "errorCode": "NoError",
                    "status": "Available",
                    "info": text,
                    "timestamp": stamp(ago()),
                },
            )
            assert await station.alive()
    shown = await house.admin.get(f"stations/{site.station}")
    assert shown["connectors"][0]["status"] == "Available"
    assert len(await house.admin.frames(site.station)) == 3 * len(texts)


HANDSHAKES = [
    ("a wrong password", "{id}", "/ocpp/{id}", "wrong-password", 401),
    ("no password", "{id}", "/ocpp/{id}", None, 401),
    ("the name of another", "nobody", "/ocpp/{id}", "whatever", 401),
    ("an unknown station", "nobody-{id}", "/ocpp/nobody-{id}", "whatever", 404),
    ("an unknown path", "{id}", "/elsewhere/{id}", "whatever", 404),
    ("no id", "", "/ocpp/", "whatever", 404),
    ("a slash in the id", "a/b", "/ocpp/a%2Fb", "whatever", 404),
    ("a NUL in the id", "{id}", "/ocpp/{id}%00", "whatever", 404),
]


@pytest.mark.parametrize(
    ("user", "path", "password", "status"), [h[1:] for h in HANDSHAKES], ids=[h[0] for h in HANDSHAKES]
)
async def test_a_handshake_is_refused_readably(house, user, path, password, status):
    site = await set_up(house)
    user, path = user.format(id=site.station), path.format(id=site.station)
    with pytest.raises(websockets.InvalidStatus) as refusal:
        async with socket_of(house, user, password, path=path):
            pass
    response = refusal.value.response
    assert response.status_code == status
    assert response.body
    assert password is None or password.encode() not in response.body
    assert (await house.admin.get(f"stations/{site.station}"))["online"] is False


async def test_a_stranger_is_listed_and_let_in_by_one_action(house):
    name = f"NEW{(await set_up(house)).station}"
    with pytest.raises(websockets.InvalidStatus):
        async with socket_of(house, name, "whatever"):
            pass
    assert (await house.admin.get(f"stations/{name}"))["state"] == "pending"
    accepted = await house.admin.post(f"stations/{name}/accept", {})
    assert accepted["url"] == f"{house.ocpp_url}/ocpp/{name}"
    async with wire(house, name, accepted.get("password")) as station:
        assert await station.alive()


async def test_without_a_common_subprotocol_the_connection_is_closed_after_the_handshake(house):
    site = await set_up(house)
    async with socket_of(house, site.station, subprotocols=["ocpp9.9"]) as socket:
        assert socket.subprotocol is None
        await socket.wait_closed()
        assert socket.close_code == 1002
