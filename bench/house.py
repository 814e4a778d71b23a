"""Voltbridge as a target: `voltbridge serve` with stations, sites, tariffs and tokens put through its admin API."""

import contextlib
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from bench import mix, postgres, processes

PASSWORD = "bench-password"
_PROJECT = Path(__file__).resolve().parents[1]
_START_SECONDS = 60.0
_PAGE = 1000


class House:
    """A running house, spoken to as its operator."""

    def __init__(self, process: subprocess.Popen[bytes], base: str, ocpp: str, token: str) -> None:
        self.pid = process.pid
        self.base = base
        self.ocpp = ocpp
        self._admin = httpx.Client(
            base_url=f"{base}/admin/v1/", headers={"Authorization": f"Bearer {token}"}, timeout=60
        )

    def provision(self, stations: int) -> None:
        """Each station with a location, a tariff, a token and a password of its own."""
        for number in range(1, stations + 1):
            self._put(f"tariffs/T{number}", _tariff())
            self._put(f"locations/LOC{number}", _location(number))
            self._put(f"tokens/{mix.ID_TAG.format(number)}", _token(number))
            link = {"evse": 1, "connector": 1, "evse_uid": f"E{number}", "connector_id": "1"}
            station = {"location_id": f"LOC{number}", "connectors": [link], "password": PASSWORD}
            self._put(f"stations/{mix.STATION_ID.format(number)}", station)

    def let_in(self, stations: int) -> None:
        """So many stations with a password and nothing else."""
        for number in range(1, stations + 1):
            self._put(f"stations/{mix.STATION_ID.format(number)}", {"password": PASSWORD})

    def put_location(self, number: int, evses: int) -> None:
        """A location as rich as partners' lists have them, with so many EVSEs of two connectors each."""
        self._put(f"locations/SITE{number:05d}", _rich_location(number, evses))

    def invite(self, number: int, platform: str = "cpo") -> dict[str, Any]:
        """A partner that may register: its `versions_url` and `token_a`. It may live on this machine."""
        invited = self._admin.post("partners", json={"name": f"Bench {number}", "platform": platform})
        invited.raise_for_status()
        found: dict[str, Any] = invited.json()
        settings = {"allow_private_url": True, "pace": 1000, "rate": 1e6, "at_once": 10_000}
        self._admin.patch(f"partners/{found['id']}", json=settings).raise_for_status()
        return found

    def missing(self, acknowledged: dict[str, int], stopped: dict[str, list[int]]) -> list[str]:
        """What was acknowledged and is not there, or is there twice: one line each, none when all is well."""
        transactions = self._all("transactions")
        of_number = {(t["station"], t["ocpp_transaction_id"]): t["session_id"] for t in transactions}
        billed = [record["session_id"] for record in self._all("cdrs")]
        wanted = [
            of_number.get((station, number)) for station, numbers in stopped.items() for number in numbers
        ]
        found = []
        if lost := len(set(wanted) - set(billed)) or wanted.count(None):
            found.append(f"{lost} acknowledged stops have no CDR")
        if len(billed) != len(set(billed)):
            found.append("some session has two CDRs")
        if len(billed) != len(wanted):
            found.append(f"{len(wanted)} stops were acknowledged, but there are {len(billed)} CDRs")
        for station, calls in acknowledged.items():
            kept = self._count(f"stations/{station}/frames")
            if kept != 2 * calls:  # each call and its answer are a frame of the log
                found.append(f"{station}: {calls} calls were acknowledged, {kept} frames are kept")
        return found

    def close(self) -> None:
        """Let go of the admin API."""
        self._admin.close()

    def _put(self, path: str, body: dict[str, Any]) -> None:
        answer = self._admin.put(path, json=body)
        if answer.status_code not in (200, 201):
            raise RuntimeError(f"PUT {path}: {answer.status_code} {answer.text[:300]}")

    def _all(self, path: str) -> list[Any]:
        found: list[Any] = []
        while True:
            page = self._admin.get(path, params={"limit": _PAGE, "offset": len(found)})
            page.raise_for_status()
            found += page.json()
            if len(page.json()) < _PAGE:
                return found

    def _count(self, path: str) -> int:
        page = self._admin.get(path, params={"limit": 1})
        page.raise_for_status()
        return int(page.headers["X-Total-Count"])


@contextlib.contextmanager
def serving(home: Path, database_url: str, core: int | None, **settings: str) -> Iterator[House]:
    """`voltbridge serve` in a process of its own, tied to one core; `settings` by their names without the prefix."""
    http, ocpp, token = processes.free_port(), processes.free_port(), secrets.token_urlsafe(24)
    given = {
        "DATABASE_URL": database_url,
        "HTTP_PORT": str(http),
        "OCPP_PORT": str(ocpp),
        "STATE_DIR": str(home / "state"),
        "ADMIN_TOKEN": token,
        # The stations of the load know no calls of ours, and every frame is counted at the end.
        "COMMISSIONING": "0",
    } | settings
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VOLTBRIDGE_")}
    environment |= {f"VOLTBRIDGE_{name}": value for name, value in given.items()}
    # Away from the project's folder, where a developer may keep a .env of his own.
    environment["PYTHONPATH"] = str(_PROJECT)
    with (home / "serve.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "serve"],
            cwd=home,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    base = f"http://127.0.0.1:{http}"
    house = House(process, base, f"ws://127.0.0.1:{ocpp}/ocpp", token)
    try:
        _wait_until_ready(process, base, home / "serve.log")
        processes.tie(process.pid, core)
        yield house
    finally:
        house.close()
        process.terminate()
        process.wait(30)


def _wait_until_ready(process: "subprocess.Popen[bytes]", base: str, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{base}/readyz").status_code == 200:
                return
        time.sleep(0.1)
    raise RuntimeError(f"voltbridge did not start: {log.read_text(errors='replace')[-2000:]}")


def _tariff() -> dict[str, Any]:
    energy = {"type": "ENERGY", "price": 0.25, "vat": 21, "step_size": 1}
    return {"currency": "EUR", "elements": [{"price_components": [energy]}]}


def _location(number: int) -> dict[str, Any]:
    connector = {
        "id": "1",
        "standard": "IEC_62196_T2",
        "format": "SOCKET",
        "power_type": "AC_3_PHASE",
        "max_voltage": 230,
        "max_amperage": 32,
        "tariff_ids": [f"T{number}"],
    }
    evse = {
        "uid": f"E{number}",
        "evse_id": f"NL*VBR*E{number:06d}",
        "status": "AVAILABLE",
        "connectors": [connector],
    }
    return {
        "publish": True,
        "address": f"Meterstraat {number}",
        "city": "Utrecht",
        "country": "NLD",
        "coordinates": {"latitude": "52.090700", "longitude": "5.121400"},
        "time_zone": "Europe/Amsterdam",
        "evses": [evse],
    }


def _rich_location(number: int, evses: int) -> dict[str, Any]:
    plain = _location(number)
    (evse,) = plain["evses"]
    (connector,) = evse["connectors"]
    connectors = [{**connector, "id": str(each), "tariff_ids": []} for each in (1, 2)]
    picture = {"url": "https://example.org/site.png", "category": "ENTRANCE", "type": "png"}
    hours = [{"weekday": day, "period_begin": "06:00", "period_end": "22:00"} for day in range(1, 8)]
    return plain | {
        "name": f"Site {number}",
        "postal_code": "3511 AB",
        "parking_type": "PARKING_GARAGE",
        "directions": [{"language": "en", "text": "Second floor, behind the lifts, follow the green line."}],
        "operator": {"name": "Bench Charging", "website": "https://example.org"},
        "facilities": ["SUPERMARKET", "CAFE"],
        "opening_times": {"twentyfourseven": False, "regular_hours": hours},
        "images": [picture],
        "evses": [
            evse
            | {
                "uid": f"S{number}-{each}",
                "evse_id": f"NL*VBR*E{number:06d}*{each}",
                "capabilities": ["RFID_READER", "REMOTE_START_STOP_CAPABLE", "RESERVABLE"],
                "physical_reference": str(each),
                "floor_level": "-1",
                "connectors": connectors,
            }
            for each in range(1, evses + 1)
        ],
    }


def _token(number: int) -> dict[str, Any]:
    return {
        "type": "RFID",
        "contract_id": f"NL-VBR-C{number:08d}",
        "issuer": "Bench",
        "valid": True,
        "whitelist": "ALLOWED",
    }


@contextlib.contextmanager
def running(database: str) -> Iterator[tuple[House, dict[str, int]]]:
    """A house on a fresh database, and the processes whose CPU counts."""
    core = processes.cores().server
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="voltbridge-bench-")))
        pids: dict[str, int] = {}
        url = f"sqlite+aiosqlite:///{home / 'voltbridge.db'}"
        if database == "postgresql":
            server = stack.enter_context(postgres.server(home, core))
            url, pids["postgres"] = server.url, server.pid
        started = stack.enter_context(serving(home, url, core))
        yield started, {"app": started.pid, **pids}
