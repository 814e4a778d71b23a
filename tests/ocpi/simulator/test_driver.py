"""The driver's app of the simulated eMSP: what it answers where nothing can be commanded, and to bodies that cannot be.

With a house behind it, it is tried in tests/flows/test_demo.py.
"""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest

from ocpi.simulator import EmspSimulator
from ocpi.wire.tokens import Token


@pytest.fixture
async def emsp(wire_object: Callable[..., dict[str, Any]]) -> AsyncIterator[EmspSimulator]:
    tokens = [
        Token.read(wire_object("token", uid="BLOCKED-1", valid=False)),
        Token.read(wire_object("token")),
    ]
    async with EmspSimulator(tokens=tokens).running() as running:
        yield running


async def ask(emsp: EmspSimulator, wish: str, content: str = "{}", method: str = "POST") -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as client,
        client.request(method, f"{emsp.base_url}/app/{wish}", data=content) as answer,
    ):
        return answer.status, await answer.text()


@pytest.mark.parametrize(
    ("wish", "content", "words"),
    [
        ("start", "{}", "location_id is missing"),
        ("start", "[]", "JSON object"),
        ("start", "{", "JSON"),
        ("start", '{"location_id": "LOC1", "uid": "NOBODY"}', "no token NOBODY"),
        ("stop", "", "session_id is missing"),
        ("cancel", "{}", "reservation_id is missing"),
        ("unlock", '{"location_id": "LOC1"}', "evse_uid is missing"),
        ("reserve", '{"location_id": "LOC1", "minutes": "soon"}', "soon"),
    ],
)
async def test_what_cannot_be_is_told(emsp: EmspSimulator, wish: str, content: str, words: str) -> None:
    status, said = await ask(emsp, wish, content)
    assert status == 400
    assert words in json.loads(said)["error"]


async def test_nothing_is_commanded_without_a_partner(emsp: EmspSimulator) -> None:
    status, said = await ask(emsp, "start", '{"location_id": "LOC1"}')
    assert status == 400
    assert "takes no commands" in json.loads(said)["error"]


async def test_wishes_are_posted(emsp: EmspSimulator) -> None:
    assert (await ask(emsp, "start", method="GET"))[0] == 405
    assert (await ask(emsp, "fly"))[0] == 404
