"""The real program in a process of its own: started, killed, started again on the same data, and its log read."""

import asyncio
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

PROGRAM = (sys.executable, "-m", "app", "serve")
START_SECONDS = 30.0

ADMIN_TOKEN = "operators-token-3f9a1c77"
_TROUBLE = ("error", "critical")


class House:
    """`voltbridge serve` on free ports. What may never be read in its log or its answers stands in `secrets`.

    `role`: one process of several on the same database.
    """

    def __init__(self, database_url: str, folder: Path, *, role: str = "all", **settings: str) -> None:
        http, ocpp = free_port(), free_port()
        self.database_url = database_url
        self.url = f"http://127.0.0.1:{http}"
        self.ocpp_url = f"ws://127.0.0.1:{ocpp}"
        self.versions_url = f"{self.url}/ocpi/cpo/versions"
        self.log = folder / "voltbridge.log"
        self.secrets = {ADMIN_TOKEN}
        self.expected: list[str] = []
        self.process: subprocess.Popen[bytes] | None = None
        self._program = PROGRAM if role == "all" else (*PROGRAM, "--role", role)
        self.admin = Admin(self)
        self._folder = folder
        self._read = 0
        given = {
            "DATABASE_URL": database_url,
            "HTTP_PORT": str(http),
            "OCPP_PORT": str(ocpp),
            "STATE_DIR": str(folder / "state"),
            "ADMIN_TOKEN": ADMIN_TOKEN,
            "ALLOW_PRIVATE_URLS": "1",
            "LOG_FORMAT": "json",
            "COMMISSIONING": "0",
        } | settings
        kept = {name: value for name, value in os.environ.items() if not name.startswith("VOLTBRIDGE_")}
        self._environment = kept | {f"VOLTBRIDGE_{name}": value for name, value in given.items()}

    def start(self) -> float:
        """Start and wait until it is ready; gives the seconds that took."""
        began = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._program, cwd=_ROOT, env=self._environment, stdout=log, stderr=subprocess.STDOUT
            )
        with httpx.Client(trust_env=False) as probe:
            while not self._ready(probe):
                assert self.process.poll() is None, f"the program ended: {self._tail()}"
                assert time.monotonic() - began < START_SECONDS, f"the program is not ready: {self._tail()}"
                time.sleep(0.02)
        return time.monotonic() - began

    def kill(self) -> None:
        """SIGKILL: no goodbye, nothing flushed."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM; gives the exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(30)

    def end(self) -> None:
        """Stop it if it runs; whatever happens, no process is left."""
        if self.process is None or self.process.poll() is not None:
            return
        try:
            self.stop()
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    async def restart(self) -> float:
        """Kill it, and start it again on the same data; gives the seconds until it was ready."""
        self.kill()
        return await asyncio.to_thread(self.start)

    def expect(self, pattern: str) -> None:
        """An ERROR line whose event matches is part of what the test does."""
        self.expected.append(pattern)

    def check_log(self) -> None:
        """Everything logged since the last look: no error nobody expected, and no secret."""
        text = self.log.read_text("utf-8", "replace")[self._read :]
        self._read += len(text)
        self.check_secrets(text, "the log")
        trouble = [line for line in map(_parsed, text.splitlines()) if line.get("level") in _TROUBLE]
        unexpected = [
            line
            for line in trouble
            if not any(re.search(pattern, str(line.get("event"))) for pattern in self.expected)
        ]
        self.expected.clear()
        assert not unexpected, json.dumps(unexpected[:3], indent=1)

    def check_secrets(self, text: str, where: str) -> None:
        """None of the secrets stands in this text."""
        found = [secret for secret in self.secrets if secret in text]
        assert not found, f"{where} shows {found}"

    def _ready(self, probe: httpx.Client) -> bool:
        with suppress(httpx.HTTPError):
            return probe.get(f"{self.url}/readyz").status_code == 200
        return False

    def _tail(self) -> str:
        return self.log.read_text("utf-8", "replace")[-2000:]


class Admin:
    """The operator, speaking to the admin API. Every answer is searched for secrets."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._client: httpx.AsyncClient | None = None

    async def open(self) -> None:
        """A client for the running loop."""
        self._client = httpx.AsyncClient(
            base_url=f"{self._house.url}/admin/v1/",
            headers={"Authorization": f"Bearer {ADMIN_TOKEN}"},
            timeout=60,
            trust_env=False,
        )

    async def close(self) -> None:
        """Let go of its connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Any request, answered in any way. A connection that a restart broke is made anew."""
        assert self._client is not None
        try:
            answer = await self._client.request(method, path, **request)
        except (httpx.RemoteProtocolError, httpx.ReadError):
            if method != "GET":
                raise
            answer = await self._client.request(method, path, **request)
        shown_once = path == "partners" and method == "POST"
        if not shown_once and not path.endswith(("/reinvite", "/accept")):
            self._house.check_secrets(answer.text, f"{method} {path}")
        return answer

    async def get(self, path: str, **params: Any) -> Any:
        """The body of a GET that must succeed."""
        answer = await self.ask("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def put(self, path: str, body: Any) -> Any:
        """The body of a PUT that must succeed."""
        answer = await self.ask("PUT", path, json=body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    async def post(self, path: str, body: Any = None, **params: Any) -> Any:
        """The body of a POST that must succeed."""
        answer = await self.ask("POST", path, json=body, params=params)
        assert answer.is_success, answer.text
        return answer.json()

    async def all(self, path: str, **params: Any) -> list[Any]:
        """A whole list."""
        found: list[Any] = []
        while True:
            page = await self.get(path, limit=1000, offset=len(found), **params)
            found += page
            if len(page) < 1000:
                return found

    async def transaction(self, station_id: str, number: int) -> Any:
        """The transaction to which a station gave this number's events; it must be one."""
        every = await self.all("transactions", station=station_id)
        found = [each for each in every if each["ocpp_transaction_id"] == number]
        assert len(found) == 1, found
        return found[0]

    async def cdrs(self, station_id: str) -> list[Any]:
        """The CDRs of a station's transactions, held ones included, oldest first."""
        refs = {each["ref"] for each in await self.all("transactions", station=station_id)}
        return [each for each in reversed(await self.all("cdrs")) if each["transaction"] in refs]

    async def cdr(self, station_id: str) -> Any:
        """The station's only CDR."""
        found = await self.cdrs(station_id)
        assert len(found) == 1, found
        return found[0]

    async def frames(self, station_id: str) -> list[Any]:
        """The calls in the wire log of a station, newest first."""
        return [each for each in await self.all(f"stations/{station_id}/frames") if each["kind"] == "call"]


_ROOT = Path(__file__).parents[2]


def free_port() -> int:
    """A free port outside the range from which the system takes ports for outgoing connections."""
    while True:
        port = random.randint(12_000, 31_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _parsed(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        # Whatever is no line of the log is a fault: a traceback, a warning of the interpreter.
        return {"level": "error", "event": line} if line.strip() else {}
    return found if isinstance(found, dict) else {"level": "error", "event": line}


async def until(condition: Any, seconds: float = 30) -> Any:
    """Wait until `condition()`, awaited if need be, gives something true; gives that. TimeoutError otherwise."""
    async with asyncio.timeout(seconds):
        while True:
            found = condition()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return found
            await asyncio.sleep(0.02)
