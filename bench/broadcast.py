"""`python -m bench.broadcast`: one location told to everybody behind the hub, one receiver hanging; when the others have it."""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import uvloop
from rich.console import Console

from bench import house, processes
from bench.parties import Connection, success
from bench.partner import authorization

BAR_MS = 250.0
_TAKEN = success()
_ROUND_SECONDS = 10.0
_SETTLE_SECONDS = 1.0
_HANGING = 1
"""The number of the receiver that takes requests and never answers; 0 is the CPO."""


class Round(NamedTuple):
    """One message: milliseconds from sending it until each receiver had it; `missed` never did."""

    milliseconds: list[float]
    missed: int


class Parties:
    """All parties on one port, told apart by their path; `arrivals` says when each was told last."""

    base = ""
    arrivals: dict[int, float] = {}  # noqa: RUF012 - one for all connections
    hanging = False

    @classmethod
    def answered(cls, method: bytes, url: bytes) -> bytes | None:
        number, _, rest = url.decode().lstrip("/p").partition("/")
        if method == b"GET":
            return success(cls._shown(number, rest))
        if int(number) == _HANGING and cls.hanging:
            return None
        cls.arrivals[int(number)] = time.perf_counter()
        return _TAKEN

    @classmethod
    def _shown(cls, number: str, rest: str) -> Any:
        base = f"{cls.base}/p{number}"
        if rest == "versions":
            return [{"version": "2.2.1", "url": f"{base}/2.2.1"}]
        endpoints = [{"identifier": "credentials", "role": "SENDER", "url": f"{base}/credentials"}]
        endpoints.append({"identifier": "locations", "role": "RECEIVER", "url": f"{base}/locations"})
        return {"version": "2.2.1", "endpoints": endpoints}


def register(serving: house.House, number: int) -> str:
    """The handshake of one party; the token that works at the hub."""
    invited = serving.invite(number, "hub")
    role, country, party = ("CPO", "NL", "AAA") if number == 0 else ("EMSP", "DE", f"{number:03d}")
    body = {
        "token": f"token-of-party-{number}",
        "url": f"{Parties.base}/p{number}/versions",
        "roles": [{"role": role, "country_code": country, "party_id": party, "business_details": {"name": party}}],
    }  # fmt: skip
    with httpx.Client(headers=authorization(invited["token_a"]), trust_env=False, timeout=60) as client:
        details = client.get(client.get(invited["versions_url"]).json()["data"][0]["url"]).json()["data"]
        url = next(each["url"] for each in details["endpoints"] if each["identifier"] == "credentials")
        answer = client.post(url, json=body).json()
    if answer["status_code"] != 1000:
        raise RuntimeError(f"the handshake failed: {answer}")
    token: str = answer["data"]["token"]
    return token


async def measure(base: str, token: str, receivers: int, rounds: int) -> list[Round]:
    """So many messages, one after the other, each with the receivers that are to have it."""
    url = f"{base}/ocpi/hub/2.2.1/receiver/locations/NL/AAA/LOC1"
    headers = authorization(token) | {
        "OCPI-to-country-code": "NL", "OCPI-to-party-id": "VHB", "OCPI-from-country-code": "NL",
        "OCPI-from-party-id": "AAA",
    }  # fmt: skip
    wanted = {number for number in range(1, receivers + 1) if number != _HANGING}
    found = []
    async with httpx.AsyncClient(headers=headers, trust_env=False, timeout=30) as client:
        await _told(client, url, -1, wanted | {_HANGING})
        Parties.hanging = True
        for number in range(rounds):
            found.append(await _told(client, url, number, wanted))
            await asyncio.sleep(_SETTLE_SECONDS)
    return found


async def _told(client: httpx.AsyncClient, url: str, number: int, wanted: set[int]) -> Round:
    location = {
        "country_code": "NL", "party_id": "AAA", "id": "LOC1", "publish": True, "name": f"message {number}",
        "last_updated": f"2026-01-01T00:00:{number + 1:02d}Z",
    }  # fmt: skip
    Parties.arrivals = {}
    began = time.perf_counter()
    answer = await client.put(url, json=location)
    if answer.json()["status_code"] != 1000:
        raise RuntimeError(f"the location was not taken: {answer.text}")
    while not wanted <= Parties.arrivals.keys() and time.perf_counter() - began < _ROUND_SECONDS:
        await asyncio.sleep(0.005)
    there = [1000 * (at - began) for who, at in Parties.arrivals.items() if who in wanted]
    return Round(sorted(there), len(wanted) - len(there))


async def run(receivers: int, rounds: int) -> list[Round]:
    """A hub of its own, the parties registered with it, and the measurement."""
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(Parties.answered), "127.0.0.1", 0
    )
    Parties.base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    with tempfile.TemporaryDirectory(prefix="voltbridge-bench-") as folder:
        home = Path(folder)
        database = f"sqlite+aiosqlite:///{home / 'voltbridge.db'}"
        opened = house.serving(home, database, processes.cores().server, HUB_AGREEMENTS="open")
        serving = await asyncio.to_thread(opened.__enter__)
        try:
            tokens = [await asyncio.to_thread(register, serving, number) for number in range(receivers + 1)]
            await asyncio.sleep(_SETTLE_SECONDS)
            return await measure(serving.base, tokens[0], receivers, rounds)
        finally:
            await asyncio.to_thread(opened.__exit__, None, None, None)
            server.close()


def main() -> int:
    """Measure and say; fail where a receiver missed a message."""
    parser = argparse.ArgumentParser(prog="python -m bench.broadcast", description=__doc__)
    parser.add_argument(
        "--receivers", type=int, default=100, help="parties behind the hub (100, at most 100)"
    )
    parser.add_argument("--rounds", type=int, default=10)
    arguments = parser.parse_args()
    found = uvloop.run(run(min(arguments.receivers, 100), arguments.rounds))
    console = Console(width=160)
    for line in lines(found, arguments.receivers):
        console.print(line)
    return 1 if any(each.missed for each in found) else 0


def lines(found: Sequence[Round], receivers: int) -> Iterator[str]:
    """What was measured, in words."""
    for number, each in enumerate(found, 1):
        times = each.milliseconds or [0.0]
        yield (
            f"{number}: {len(each.milliseconds)} of {receivers - 1} told, half of them after "
            f"{statistics.median(times):.0f} ms, the last after {times[-1]:.0f} ms"
        )
    slowest = statistics.median(each.milliseconds[-1] for each in found if each.milliseconds)
    yield f"the last of all that answer, median of the messages: {slowest:.0f} ms (bar {BAR_MS:.0f} ms)"


if __name__ == "__main__":
    sys.exit(main())
