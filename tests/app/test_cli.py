"""The command line against a server that really runs: what it prints, and one line for every expected failure."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from app.cli import documents, main
from app.cli.client import local_url
from app.settings import Settings

ROOT = Path(__file__).parents[2]
PROGRAM = (sys.executable, "-m", "app")
LOCATION = {
    "publish": True,
    "name": "[red]Stationsplein[/red]",
    "address": "Straat 1",
    "city": "Utrecht",
    "country": "NLD",
    "coordinates": {"latitude": "52.08944", "longitude": "5.11028"},
    "time_zone": "Europe/Amsterdam",
    "evses": [
        {
            "uid": "E1",
            "evse_id": "NL*VBR*E1",
            "connectors": [
                {
                    "id": "1", "standard": "IEC_62196_T2", "format": "SOCKET", "power_type": "AC_3_PHASE",
                    "max_voltage": 230, "max_amperage": 32, "tariff_ids": ["T1"],
                }
            ],
        }
    ],
}  # fmt: skip
TARIFF = {
    "currency": "EUR",
    "elements": [{"price_components": [{"type": "ENERGY", "price": 0.3025, "vat": 21, "step_size": 1}]}],
}


class Ended(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


Run = Callable[..., Ended]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(folder: Path, **more: str) -> dict[str, str]:
    """The variables of a server of its own in this folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VOLTBRIDGE_")}
    own = {
        "STATE_DIR": str(folder / "var"),
        "HTTP_PORT": str(free_port()),
        "OCPP_PORT": str(free_port()),
        "ALLOW_PRIVATE_URLS": "1",
    } | more
    return kept | {f"VOLTBRIDGE_{name}": value for name, value in own.items()} | {"PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """`voltbridge serve` in a process of its own; its environment."""
    folder = tmp_path_factory.mktemp("server")
    env = environment(folder)
    log = (folder / "log").open("wb")
    process = subprocess.Popen([*PROGRAM, "serve"], cwd=folder, env=env, stdout=log, stderr=log)
    ready = f"http://127.0.0.1:{env['VOLTBRIDGE_HTTP_PORT']}/readyz"
    deadline = time.monotonic() + 40
    while not _answers(ready):
        assert process.poll() is None, (folder / "log").read_text()
        assert time.monotonic() < deadline, (folder / "log").read_text()
        time.sleep(0.1)
    yield env
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    log.close()
    assert "Traceback" not in (folder / "log").read_text()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).is_success
    except httpx.HTTPError:
        return False


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs a command in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def runs(*arguments: str, env: dict[str, str] | None = None) -> Ended:
        wanted = environment(tmp_path) if env is None else env
        for name in [*os.environ]:
            if name.startswith("VOLTBRIDGE_"):
                monkeypatch.delenv(name)
        for name, value in wanted.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["voltbridge", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code
        said = capsys.readouterr()
        # A text as exit code is printed by the interpreter at its end, and makes the code 1.
        return Ended(1, said.out, f"{said.err}{code}\n") if isinstance(code, str) else Ended(code or 0, *said)

    return runs


@pytest.fixture
def live(run: Run, server: dict[str, str]) -> Run:
    """Runs a command against the server."""

    def runs(*arguments: str) -> Ended:
        return run(*arguments, env=server)

    return runs


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str, Any], str]:
    """Writes a JSON file and gives its path."""

    def write(name: str, content: Any) -> str:
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
        return str(path)

    return write


def failed(ended: Ended, *words: str) -> None:
    """One clear line and exit code 1."""
    assert ended.code == 1
    (line,) = ended.err.splitlines()
    for word in words:
        assert word in line


def test_the_checked_in_documents_are_what_the_code_gives() -> None:
    assert documents.stale(ROOT / "openapi") == []


def test_openapi_writes_and_compares(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "openapi"
    failed(run("openapi", "--check", "--folder", str(folder)), "admin.json", "voltbridge openapi")
    assert run("openapi", "--folder", str(folder)).code == 0
    assert run("openapi", "--check", "--folder", str(folder)).code == 0
    admin = json.loads((folder / "admin.json").read_text("utf-8"))
    assert "/stations/{station_id}/ocpp/{action}" in admin["paths"]
    named = [each["operationId"] for path in admin["paths"].values() for each in path.values()]
    assert len(set(named)) == len(named)
    (folder / "admin.json").write_text("{}", "utf-8")
    failed(run("openapi", "--check", "--folder", str(folder)), "admin.json")
    (folder / "file").write_text("", "utf-8")
    failed(run("openapi", "--folder", str(folder / "file")), "cannot write")


def test_help_and_version(run: Run) -> None:
    assert "voltbridge" in run("--version").out
    told = run("--help").out
    for command in ("serve", "migrate", "partner", "station", "openapi", "doctor", "simulate", "demo"):
        assert command in told
    assert run("no-such-thing").code == 2


def test_without_a_server(run: Run, tmp_path: Path) -> None:
    failed(run("partner", "list"), "no admin token", "voltbridge serve")
    with_token = environment(tmp_path, ADMIN_TOKEN="x")
    failed(run("station", "list", env=with_token), "no server answers", "voltbridge serve")


def test_a_wrong_setting_is_one_line(run: Run, tmp_path: Path) -> None:
    wrong = environment(tmp_path, HTTP_PORT="many")
    for command in (("serve",), ("migrate",), ("station", "list"), ("admin", "token"), ("demo", "clear")):
        failed(run(*command, env=wrong), "VOLTBRIDGE_HTTP_PORT")


def test_a_port_in_use_is_one_line(server: dict[str, str], tmp_path: Path) -> None:
    env = environment(tmp_path, HTTP_PORT=server["VOLTBRIDGE_HTTP_PORT"])
    ended = subprocess.run(
        [*PROGRAM, "serve"], cwd=tmp_path, env=env, capture_output=True, timeout=60, check=False
    )
    assert ended.returncode == 1
    (line,) = ended.stderr.decode().splitlines()
    assert "VOLTBRIDGE_HTTP_PORT" in line


def test_another_token_is_not_taken(run: Run, server: dict[str, str]) -> None:
    failed(run("cdr", "list", env=server | {"VOLTBRIDGE_ADMIN_TOKEN": "wrong"}), "admin token")


def test_something_else_on_the_port(run: Run, server: dict[str, str], tmp_path: Path) -> None:
    env = environment(tmp_path, HTTP_PORT=server["VOLTBRIDGE_OCPP_PORT"], ADMIN_TOKEN="x")
    failed(run("cdr", "list", env=env), "answers 4")


def test_migrate_and_admin_token(run: Run, tmp_path: Path) -> None:
    env = environment(tmp_path)
    assert "up to date" in run("migrate", env=env).out
    assert (tmp_path / "var" / "voltbridge.db").exists()
    first, second = (run("admin", "token", env=env).out.strip() for _ in range(2))
    assert first != second
    assert (tmp_path / "var" / "admin-token").read_text().strip() == second
    failed(run("admin", "token", env=env | {"VOLTBRIDGE_ADMIN_TOKEN": "x"}), "VOLTBRIDGE_ADMIN_TOKEN")
    assert "gone" in run("demo", "clear", env=env).out


def test_a_database_that_cannot_be_used_is_one_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database" * 500, "utf-8")
    for url in (f"sqlite+aiosqlite:///{tmp_path}/text", "postgresql+asyncpg://u:hush@127.0.0.1:1/none"):
        ended = run("migrate", env=environment(tmp_path, DATABASE_URL=url))
        failed(ended, "text" if "sqlite" in url else "127.0.0.1")
        assert "hush" not in ended.err


def test_doctor(run: Run, live: Run, server: dict[str, str], tmp_path: Path) -> None:
    env = environment(tmp_path)
    ended = run("doctor", env=env)
    assert ended.code == 0, ended.out
    assert len(ended.out.splitlines()) == 7
    assert "is free" in ended.out
    running = live("doctor")
    assert running.code == 0, running.out
    assert "Voltbridge is running" in running.out
    assert "up to date" in running.out
    taken = run("doctor", env=env | {"VOLTBRIDGE_HTTP_PORT": server["VOLTBRIDGE_OCPP_PORT"]})
    assert taken.code == 1
    assert re.search(r"^FAIL +http port +.*VOLTBRIDGE_HTTP_PORT", taken.out, re.MULTILINE)
    wrong = run("doctor", env=env | {"VOLTBRIDGE_PARTY_ID": "much too long"})
    assert wrong.code == 1
    assert "VOLTBRIDGE_PARTY_ID" in wrong.out
    assert (
        "hush"
        not in run(
            "doctor", env=env | {"VOLTBRIDGE_DATABASE_URL": "postgresql+asyncpg://u:hush@127.0.0.1:1/x"}
        ).out
    )


def test_a_network_set_up_by_hand(live: Run, written: Callable[[str, Any], str]) -> None:
    location, tariff = written("location.json", LOCATION), written("tariff.json", TARIFF)
    failed(live("location", "put", "LOC1", location), "tariff_ids", "T1")
    assert live("tariff", "put", "T1", tariff).out == "T1 is new\n"
    assert live("tariff", "put", "T1", tariff).out == "T1 is replaced\n"
    assert live("location", "put", "LOC1", location).out == "LOC1 is new\n"
    assert live("token", "put", "CARD1", "--contract-id", "NL-VBR-C1", "--no-valid").code == 0
    put = live(
        "station",
        "put",
        "CLI 1".replace(" ", "-"),
        "--location",
        "LOC1",
        "--connector",
        "1=E1/1",
        "--password",
        "hush",
    )
    assert put.code == 0, put.err
    assert put.out.splitlines()[1].endswith("/ocpp/CLI-1")
    table = live("location", "list").out
    assert "[red]Stationsplein[/red]" in table
    assert "Utrecht" in table
    assert "T1" in live("tariff", "list").out
    assert re.search(r"CARD1 .* no ", live("token", "list").out)
    assert "CLI-1" in live("station", "list").out
    (station,) = json.loads(live("station", "list", "--json").out)
    assert station["connectors"][0]["evse_uid"] == "E1"
    shown = live("station", "show", "CLI-1").out
    assert json.loads(shown)["location_id"] == "LOC1"
    assert "hush" not in shown


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("location", "put", "L9", "no-such-file"), "no-such-file"),
        (("location", "put", "L9", "."), "."),
        (("tariff", "put", "T9", "broken.json"), "not JSON"),
        (("tariff", "put", "T9", "nan.json"), "NaN"),
        (("tariff", "put", "T9", "list.json"), "object"),
        (("station", "put", "S9", "list.json"), "object"),
        (("station", "put", "S9", "--connector", "E1"), "NUMBER=EVSE_UID"),
        (("station", "put", "S9", "--location", "NOWHERE"), "NOWHERE"),
        (("station", "accept", "S9"), "S9"),
        (("station", "show", "../partners"), "nothing here"),
        (("station", "call", "S9", "Reset", "{"), "not JSON"),
        (("station", "call", "S9", "Reset"), "S9"),
        (("cdr", "release", "C9", "--kwh", "much"), "much"),
        (("cdr", "release", "C9"), "C9"),
        (("cdr", "discard", "C9", "--reason", "x"), "C9"),
        (("cdr", "credit", "C9"), "C9"),
        (("outbox", "retry", "99"), "99"),
        (("partner", "show", "p-9"), "p-9"),
        (("partner", "pause", "p-9"), "p-9"),
        (("station", "list", "--state", "lost"), "state"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    live: Run, written: Callable[[str, Any], str], arguments: tuple[str, ...], word: str
) -> None:
    written("broken.json", "{")
    written("nan.json", '{"a": NaN}')
    written("list.json", [])
    failed(live(*arguments), word)


def test_a_partner_by_hand(live: Run) -> None:
    told = live("partner", "invite", "eMSP", "--json")
    partner = json.loads(told.out)
    assert partner["id"] in live("partner", "list").out
    again = live("partner", "reinvite", partner["id"]).out
    assert "token A" in again
    assert partner["token_a"] not in again
    assert json.loads(live("partner", "show", partner["id"]).out)["state"] == "invited"
    nowhere = f"http://127.0.0.1:{free_port()}/versions"
    failed(live("partner", "register", partner["id"], nowhere, "--token-a", "theirs"), "versions")
    failed(live("partner", "register", partner["id"], "ftp://x", "--token-a", "theirs"), "versions_url")
    failed(live("partner", "rotate", partner["id"]), "invited")
    failed(live("partner", "resume", partner["id"]), "invited")
    assert "removed" in live("partner", "remove", partner["id"], "--yes").out


def test_a_quote_and_empty_lists(live: Run, written: Callable[[str, Any], str]) -> None:
    period = {"start_date_time": "2026-06-01T10:00:00Z", "dimensions": [{"type": "ENERGY", "volume": 10}]}
    times = {"start_date_time": "2026-06-01T10:00:00Z", "end_date_time": "2026-06-01T11:00:00Z"}
    question = {
        "tariff": TARIFF,
        "location_time_zone": "Europe/Amsterdam",
        "cdr": times | {"currency": "EUR", "charging_periods": [period]},
    }
    quoted = live("price", "quote", written("question.json", question))
    assert json.loads(quoted.out)["total_cost"] == {"excl_vat": 3.025, "incl_vat": 3.6603}
    failed(live("price", "quote", written("half.json", {"tariff": TARIFF})), "location_time_zone")
    assert json.loads(live("outbox", "list", "--json").out) == []
    assert json.loads(live("cdr", "list", "--state", "held", "--json").out) == []


def test_simulated_stations_are_called(live: Run, server: dict[str, str], tmp_path: Path) -> None:
    assert live("station", "put", "SIM1").code == 0
    failed(live("station", "call", "SIM1", "ClearCache"), "not connected")
    playing = subprocess.Popen(
        [*PROGRAM, "simulate", "SIM1", "--id-tag", "NOBODY"],
        cwd=tmp_path,
        env=server,
        stdout=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 30
        while not json.loads(live("station", "show", "SIM1").out)["online"]:
            assert playing.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.2)
        called = live("station", "call", "SIM1", "ClearCache")
        assert called.code == 0, called.err
        assert json.loads(called.out)["outcome"] == "result"
        failed(live("station", "call", "SIM1", "Reset", '{"type": "Medium"}'), "type")
        failed(live("station", "call", "SIM1", "Dance"), "Dance")
        # Last: the station leaves to boot again, and says so only by being gone.
        at_once = live("station", "call", "SIM1", "Reset", '{"type": "Soft"}', "--no-wait")
        assert json.loads(at_once.out).keys() == {"message_id"}
    finally:
        playing.send_signal(signal.SIGINT)
        assert playing.wait(90) == 0


def test_the_address_of_a_wildcard_listener() -> None:
    public = {"public_url": "https://x.example", "ocpp_public_url": "wss://x.example"}
    assert (
        local_url(Settings(http_host="0.0.0.0", http_port=81, ocpp_host="127.0.0.1", **public))
        == "http://127.0.0.1:81"
    )
    assert (
        local_url(Settings(http_host="::", http_port=81, ocpp_host="127.0.0.1", **public))
        == "http://[::1]:81"
    )


def test_a_probe_says_step_by_step_what_would_fail(server: dict[str, str], run: Run) -> None:
    base = f"http://127.0.0.1:{server['VOLTBRIDGE_HTTP_PORT']}"
    there = run("partner", "probe", f"{base}/ocpi/cpo/versions", env=server)
    assert there.code == 0, there
    assert "ok    versions without token  refused with HTTP 401" in there.out
    wrong = run("partner", "probe", f"{base}/ocpi/cpo/versions", "--token-a", "wrong", env=server)
    assert wrong.code == 1
    assert "FAILS versions with token" in wrong.out
    nobody = run("partner", "probe", f"http://127.0.0.1:{free_port()}/versions", "--json", env=server)
    assert (nobody.code, json.loads(nobody.out)["ok"]) == (1, False)


def test_a_file_is_imported_as_a_whole_and_exported_again(live: Run, tmp_path: Path) -> None:
    table = (
        "id,currency,component,price,vat,step_size\nBULK1,EUR,ENERGY,0.25,21,1\nBULK2,EUR,ENERGY,{},21,1\n"
    )
    file, out = tmp_path / "prices.csv", tmp_path / "out.csv"
    file.write_text(table.format("free"), "utf-8-sig")
    wrong = live("import", "tariffs", str(file))
    assert (wrong.code, wrong.err.splitlines()) == (
        1,
        ["line 3, price: must be number", "voltbridge: nothing was kept"],
    )
    file.write_text(table.format("0.30"), "utf-8-sig")
    assert live("import", "tariffs", str(file), "--dry-run").out == (
        "tariffs: 2 would be new, 0 would be replaced\n"
    )
    assert live("import", "tariffs", str(file)).out == "tariffs: 2 new, 0 replaced\n"
    assert live("export", "tariffs", str(out)).code == 0
    assert "BULK2,EUR" in out.read_text("utf-8")
    assert {"BULK1", "BULK2"} <= {each["id"] for each in json.loads(live("export", "tariffs", "-").out)}
    failed(live("import", "tariffs", str(tmp_path / "none.csv")), "cannot be read")
    failed(live("import", "tariffs", str(tmp_path / "prices.txt")), ".csv or .json")
    file.write_bytes(b"id\n\xff\n")
    failed(live("import", "tariffs", str(file)), "UTF-8")


def test_a_webhook_is_added_tried_and_removed(live: Run) -> None:
    added = live("webhook", "add", f"http://127.0.0.1:{free_port()}/in", "--event", "cdr_held", "--json")
    hook = json.loads(added.out)
    assert (hook["events"], hook["secret"][:6]) == (["cdr_held"], "whsec_")
    listed = live("webhook", "list")
    assert hook["id"] in listed.out
    assert hook["secret"] not in listed.out
    assert live("webhook", "test", hook["id"]).code == 0
    deadline = time.monotonic() + 20
    while (alert := json.loads(live("webhook", "alerts", hook["id"], "--json").out)[0])["state"] == "waiting":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert (alert["state"], alert["event"]) == ("failing", "test")
    assert "refused" in alert["last_error"]
    assert live("webhook", "remove", hook["id"]).out == f"{hook['id']} is removed\n"
    failed(live("webhook", "test", hook["id"]), hook["id"])
    failed(live("webhook", "add", "ftp://x"), "url")


VISIT = {"arrival": "2026-06-01T10:00:00Z", "departure": "2026-06-01T11:00:00Z", "kwh": 10, "kw": 10}


def test_a_price_with_reasons_and_a_visit_that_is_made_up(
    live: Run, written: Callable[[str, Any], str]
) -> None:
    period = {"start_date_time": "2026-06-01T10:00:00Z", "dimensions": [{"type": "ENERGY", "volume": 10}]}
    times = {"start_date_time": "2026-06-01T10:00:00Z", "end_date_time": "2026-06-01T11:00:00Z"}
    site = {"tariff": TARIFF, "location_time_zone": "Europe/Amsterdam"}
    question = written("question.json", site | {"cdr": times | {"charging_periods": [period]}})
    told = live("price", "explain", question)
    assert (told.code, told.out.splitlines()[-1]) == (0, "Total: 3.025 EUR (3.6603 with VAT)")
    assert json.loads(live("price", "explain", question, "--json").out)["policies"]
    visit = written("visit.json", site | {"visit": VISIT})
    simulated = live("price", "simulate", visit)
    assert "Total: 3.025 EUR (3.6603 with VAT)" in simulated.out
    assert simulated.out.splitlines()[-1].split() == ["2026-06-01T11:00:00Z", "10", "kWh", "3.025"]
    assert len(json.loads(live("price", "simulate", visit, "--json").out)["cost_over_time"]) == 61
    failed(live("price", "explain", "NO-SUCH-CDR"), "NO-SUCH-CDR")
    failed(live("cdr", "correct", "NO-SUCH-CDR", "--kwh", "5", "--reason", "meter"), "NO-SUCH-CDR")
    failed(live("price", "simulate", written("half.json", site)), "visit")


def test_putting_a_tariff_tells_what_it_may_not_mean(live: Run, written: Callable[[str, Any], str]) -> None:
    twice = TARIFF | {"elements": [*TARIFF["elements"], *TARIFF["elements"]]}
    put = live("tariff", "put", "TWICE", written("twice.json", twice))
    assert put.code == 0
    first, second = put.out.splitlines()
    assert first == "TWICE is new"
    assert second.startswith("error: elements[1]: the price for ENERGY never applies")


def test_a_tariff_is_checked_without_a_server(run: Run, written: Callable[[str, Any], str]) -> None:
    good = run("tariff", "lint", written("good.json", TARIFF))
    assert (good.code, good.out) == (0, "0 findings\n")
    twice = TARIFF | {"elements": [*TARIFF["elements"], *TARIFF["elements"]]}
    bad = run("tariff", "lint", written("twice.json", twice))
    assert bad.code == 1
    assert "error    elements[1]: the price for " in bad.out
    (finding, *_) = json.loads(run("tariff", "lint", written("twice.json", twice), "--json").out)
    assert (finding["level"], finding["kind"]) == ("error", "unreachable")
    failed(run("tariff", "lint", written("odd.json", '{"currency": "EUR"')), "odd.json")
    failed(run("tariff", "lint", written("empty.json", {"currency": "EUR", "elements": []})), "elements")
    failed(run("tariff", "lint", "nowhere.json"), "nowhere.json")


def test_a_settlement_on_screen_and_as_a_file(live: Run, tmp_path: Path) -> None:
    table = tmp_path / "month.csv"
    assert live("settlement", "2026-11").code == 0
    assert json.loads(live("settlement", "2026-11", "--json").out)["month"] == "2026-11"
    assert live("settlement", "2026-11", "--csv", str(table)).out == f"wrote {table}\n"
    assert table.read_text("utf-8").startswith("kind,month,party")
    failed(live("settlement", "2026-11", "--csv", str(tmp_path)), "cannot be written")
    failed(live("settlement", "last"), "month")
