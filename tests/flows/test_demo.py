"""The demo world on the real program: two weeks told once, also across a kill; the driver's app; all of it taken away."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest
from sqlalchemy import inspect, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from app.demo import world
from tests.flows.house import free_port

ROOT = Path(__file__).parents[2]
# A shorter past than people see, so that the test does not take as long.
PROGRAM = (
    "import sys; from app.demo import cast, neighbours, scenes; cast.DAYS = 4; cast._PER_SECOND = {pace}; "
    "neighbours._PAUSE_SECONDS = (0.5, 1.0); neighbours._VISIT_SECONDS = 0.5; "
    "scenes.SCENES = tuple(each._replace(after=each.after / 10) for each in scenes.SCENES); "
    "from app.cli import main; sys.argv = ['voltbridge', *sys.argv[1:]]; main()"
)
PLACE = {"location_id": "DEMO-AMS", "evse_uid": f"{world.FREE}-E1"}


class Demo:
    """`make run` in a folder of its own, as far as the server is concerned."""

    def __init__(self, folder, database_url):
        http = free_port()
        self.emsp, self.log = f"http://127.0.0.1:{http + 100}", folder / "log"
        self.folder, self.url = folder, database_url
        self.process = None
        kept = {name: value for name, value in os.environ.items() if not name.startswith("VOLTBRIDGE_")}
        own = {
            "DATABASE_URL": database_url, "STATE_DIR": str(folder / "var"), "HTTP_PORT": str(http),
            "OCPP_PORT": str(free_port()), "ALLOW_PRIVATE_URLS": "1", "DEMO": "1", "ADMIN_TOKEN": "operator",
        }  # fmt: skip
        self.env = (
            kept | {f"VOLTBRIDGE_{name}": value for name, value in own.items()} | {"PYTHONPATH": str(ROOT)}
        )
        self.admin = httpx.Client(
            base_url=f"http://127.0.0.1:{http}/admin/v1",
            headers={"Authorization": "Bearer operator"},
            trust_env=False,
            timeout=30,
        )

    def start(self, pace):
        self.log.write_text("")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM.format(pace=pace), "serve"],
                cwd=self.folder, env=self.env, stdout=log, stderr=log,
            )  # fmt: skip

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(30) == 0

    def said(self, words):
        """Wait until this was said; gives the line."""
        return self.until(
            lambda: next((each for each in self.log.read_text().splitlines() if words in each), "")
        )

    def until(self, condition, seconds=120):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := condition():
                return found
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.1)
        raise AssertionError(self.log.read_text()[-3000:])

    def get(self, path, **params):
        answer = self.admin.get(path, params={"limit": 1000} | params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def app(self, wish, **body):
        answer = httpx.post(f"{self.emsp}/app/{wish}", json=body, trust_env=False, timeout=40)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def status(self):
        return self.admin.get(f"/stations/{world.FREE}").json()["connectors"][0]["status"]

    def clear(self):
        ended = subprocess.run(
            [sys.executable, "-m", "app", "demo", "clear"], cwd=self.folder, env=self.env, capture_output=True, check=False
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr


@pytest.fixture
def demo(tmp_path, database_url):
    made = Demo(tmp_path, database_url)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.kill()
    made.admin.close()


@pytest.mark.timeout(480)
async def test_the_demo_from_the_first_start_to_its_end(demo):
    demo.start(pace=8)
    total = int(demo.said("The stations were offline").split(" messages")[0].split()[-1])
    demo.said("CDR at Elbe Mobility")
    the_app_starts_stops_and_reserves(demo)
    the_newcomer_is_let_in(demo)
    demo.kill()

    demo.start(pace=2000)
    left = int(demo.said("The stations were offline").split(" messages")[0].split()[-1])
    assert 0 < left < total
    demo.said("The past is told")
    demo.said("Elbe Mobility works again")
    the_hub_brings_its_parties_together(demo)
    the_past_was_told_once(demo)
    every_record_arrives(demo)
    demo.stop()

    demo.start(pace=60)
    demo.said("ConnectorLockFailure")
    # The connection is the one that was made first, and the past stays told.
    assert "The stations were offline" not in demo.log.read_text()
    assert [each["state"] for each in demo.get("/partners")] == ["registered"] * 5 + ["invited"]
    demo.stop()
    demo.clear()
    # Our own CPO is behind the hub with or without a demo.
    assert await rows_left(demo.url) == {"alembic_version": 1, "hub_clients": 1}
    assert not any((demo.folder / "var" / "demo").iterdir())


def the_app_starts_stops_and_reserves(demo):
    # While it tells its past, it has sessions of then.
    kept = demo.folder / "var" / "demo" / "stations" / f"{world.FREE}.json"
    demo.until(lambda: json.loads(kept.read_text())["history"] is None)
    started = demo.app("start", **PLACE)
    assert started["result"] == {"result": "ACCEPTED"}
    assert demo.status() == "Charging"
    session = demo.admin.get(f"/sessions/{started['session_id']}").json()
    assert world.DRIVER in json.dumps(session)
    assert demo.app("stop")["result"] == {"result": "ACCEPTED"}
    demo.until(lambda: demo.status() == "Available")
    assert demo.app("reserve", **PLACE)["result"] == {"result": "ACCEPTED"}
    demo.until(lambda: demo.status() == "Reserved")
    assert demo.app("start", uid=world.CARDS[0], **PLACE)["result"] == {"result": "REJECTED"}
    assert demo.app("cancel")["result"] == {"result": "ACCEPTED"}
    demo.until(lambda: demo.status() == "Available")


def the_newcomer_is_let_in(demo):
    assert [each["id"] for each in demo.get("/stations", state="pending")] == [world.NEWCOMER]
    assert demo.admin.post(f"/stations/{world.NEWCOMER}/accept", json={"adopt_minutes": 15}).is_success
    path = f"/stations/{world.NEWCOMER}"
    demo.until(lambda: demo.admin.get(path).json()["connectors"])
    assert demo.admin.get(path).json()["has_password"]


def the_hub_brings_its_parties_together(demo):
    demo.said("Hub: CDR at Lumen Drive from BE-SCH")
    demo.said("Hub: Lumen Drive hears how its command ended: ACCEPTED")
    demo.said("Hub: a CDR of Moselle Power comes back: refused by the clearing check: price: VAT was")
    demo.said("Hub: CDR at Lumen Drive from LU-MOS")
    demo.said("Hub: CDR at Donau Mobil from BE-SCH")
    records = demo.get("/hub/cdrs")
    verdicts = Counter((each["from"], each["verdict"], each["state"]) for each in records)
    assert verdicts["LU-MOS", "refuse", "refused"] >= 1
    assert verdicts["BE-SCH", "pass", "delivered"] >= 1
    usual = {
        ("LU-MOS", "refuse", "refused"), ("LU-MOS", "pass", "delivered"), ("BE-SCH", "pass", "delivered"),
        ("BE-SCH", "pass", "passing"), ("LU-MOS", "pass", "passing"),
    }  # fmt: skip
    assert [each for each in records if (each["from"], each["verdict"], each["state"]) not in usual] == []
    status = {each["party"]: each["status"] for each in demo.get("/hub/parties")}
    assert status == dict.fromkeys(("NL-VBR", "BE-SCH", "LU-MOS", "FR-LMN", "AT-DON"), "CONNECTED")


def the_past_was_told_once(demo):
    every = demo.get("/transactions")
    starts = Counter((each["station"], each["connector"], each["started_at"]) for each in every)
    assert max(starts.values()) == 1
    replayed = [each for each in every if "replayed" in each["flags"]]
    assert len(replayed) > 60
    per_day = Counter(each["started_at"][:10] for each in replayed)
    assert len(per_day) >= 4
    assert not [each for each in every if {"no_stop", "orphan", "absurd_energy"} & set(each["flags"])]
    held = Counter(each["reason"] for each in demo.get("/cdrs", state="held"))
    assert held == {"token_invalid": 1, "meter_reset": 1}


def every_record_arrives(demo):
    demo.until(lambda: not [each for each in demo.get("/deliveries") if each["state"] != "delivered"])
    received = httpx.get(f"{demo.emsp}/received/cdrs", trust_env=False, timeout=30).json()["data"]
    assert [each["problem"] for each in received["messages"] if each["problem"]] == []
    vat = {
        price["vat"]
        for cdr in received["objects"]
        for tariff in cdr["tariffs"]
        for element in tariff["elements"]
        for price in element["price_components"]
    }
    assert vat == {19, 21}
    assert any(
        cdr["signed_data"]["encoding_method"] == "OCMF" for cdr in received["objects"] if "signed_data" in cdr
    )


async def rows_left(url):
    """How many rows there are, by table, where there are any."""
    engine = create_async_engine(make_url(url))
    async with engine.connect() as connection:
        tables = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
        counts = {
            table: (await connection.execute(text(f'SELECT count(*) FROM "{table}"'))).scalar()
            for table in tables
        }
    await engine.dispose()
    return {table: count for table, count in counts.items() if count}
