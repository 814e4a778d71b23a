"""Two listeners in one process: they start, answer, refuse what they must, and end cleanly."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from app import main
from app.kit import listeners, protocols
from app.kit.listeners import ListenError, open_listener
from app.main import health_routes

ROOT = Path(__file__).resolve().parents[2]

# A whole process as the command line starts it, with an app small enough to see through.
PROGRAM = """
import asyncio, sys
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from app import main
from app.kit import listeners, logs, protocols
from app.kit.tasks import cancel_all, spawn

async def ready():
    return True

async def slow(request):
    await asyncio.sleep(0.7)
    return PlainTextResponse("late but whole")

async def endless(request):
    await asyncio.sleep(600)

async def ocpp(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b"no page"})
        return
    await receive()
    if scope["path"] == "/refused":
        await send({"type": "websocket.http.response.start", "status": 401, "headers": []})
        await send({"type": "websocket.http.response.body", "body": b"who are you?"})
        return
    if scope["path"] == "/silent":
        return
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": str(len(message["text"]))})
    print("station gone", message["code"], flush=True)

async def started():
    spawn(asyncio.sleep(600), "background")
    print("started", flush=True)
    if "fail" in sys.argv:
        raise RuntimeError("the house does not stand")

async def stopping():
    print("stopping", flush=True)
    if "hang" in sys.argv:
        await asyncio.sleep(600)
    await cancel_all()

logs.setup("info", "json")
app = Starlette(routes=[*main.health_routes(ready), Route("/slow", slow), Route("/endless", endless)])
http, ocpp_port = int(sys.argv[1]), int(sys.argv[2])

async def serving():
    with listeners.bound(http=("127.0.0.1", http), ocpp=("127.0.0.1", ocpp_port)) as both:
        await listeners.run_servers(app, ocpp, listeners=both, on_started=started, on_stopping=stopping)

main.run(serving())
print("the end", flush=True)
"""


def free_ports():
    with closing(socket.socket()) as one, closing(socket.socket()) as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


class Process:
    """The program under test and where it listens."""

    def __init__(self, *words):
        self.http, self.ocpp = free_ports()
        self.popen = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(self.http), str(self.ocpp), *words],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error::ResourceWarning"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def get(self, path):
        return httpx.get(f"http://127.0.0.1:{self.http}{path}", timeout=10)

    def station(self, path="/ocpp/CP1"):
        return connect(f"ws://127.0.0.1:{self.ocpp}{path}", compression=None, max_size=None)

    def end(self, number=signal.SIGTERM):
        """Signal it; seconds until it ended, and what it said on stdout and stderr."""
        began = time.monotonic()
        self.popen.send_signal(number)
        # Not communicate(): it forgets what readline() has read ahead.
        out, err = self.popen.stdout.read(), self.popen.stderr.read()
        self.popen.wait(20)
        return time.monotonic() - began, out, err


@contextmanager
def process(*words):
    running = Process(*words)
    try:
        assert running.popen.stdout.readline() == "started\n"
        yield running
    finally:
        running.popen.kill()
        running.popen.communicate()


def raw(port, request, *, seconds=10):
    """Everything the server sends back for these bytes, until it closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        connection.sendall(request)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
        return answer


@pytest.fixture(scope="module")
def server():
    with process() as running:
        yield running


def test_both_listeners_answer(server):
    assert server.get("/healthz").json() == {"status": "ok"}
    assert server.get("/readyz").status_code == 200
    assert "voltbridge_stations_online" in server.get("/metrics").text
    with server.station() as station:
        station.send("hello")
        assert station.recv() == "5"
    assert httpx.get(f"http://127.0.0.1:{server.ocpp}/").status_code == 404


def test_no_answer_names_the_server_software(server):
    assert "server" not in server.get("/healthz").headers
    with server.station() as station:
        assert "server" not in station.response.headers


def test_a_message_of_8_mib_is_taken_and_a_larger_one_closes_with_1009(server):
    with server.station() as station:
        station.send("x" * protocols.MAX_FRAME)
        assert station.recv() == str(protocols.MAX_FRAME)
        with suppress(ConnectionClosed):
            station.send("x" * (protocols.MAX_FRAME + 1))
        with pytest.raises(ConnectionClosed) as closed:
            station.recv()
        assert closed.value.rcvd.code == 1009


def test_compression_is_off_unless_asked_for(server):
    with connect(f"ws://127.0.0.1:{server.ocpp}/ocpp/CP1", compression="deflate") as station:
        assert "sec-websocket-extensions" not in station.response.headers


def test_headers_beyond_16_kb_are_answered_431_on_both_ports(server):
    lines = b"".join(b"x-filler-%d: %s\r\n" % (n, b"y" * 4000) for n in range(5))
    upgrade = b"connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
    for port in (server.http, server.ocpp):
        head = b"GET /healthz HTTP/1.1\r\nhost: x\r\n" + upgrade + lines + b"\r\n"
        assert raw(port, head).startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")


def test_one_endless_header_is_answered_431_before_it_ends(server):
    head = b"GET / HTTP/1.1\r\nhost: x\r\nx-endless: " + b"y" * 30_000
    assert raw(server.http, head).startswith(b"HTTP/1.1 431 ")


def test_too_many_headers_too_long_a_url_and_a_url_outside_ascii_are_refused(server):
    many = b"".join(b"x-%d: y\r\n" % n for n in range(150))
    assert raw(server.ocpp, b"GET / HTTP/1.1\r\nhost: x\r\n" + many + b"\r\n").startswith(b"HTTP/1.1 431 ")
    assert raw(server.ocpp, b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nhost: x\r\n\r\n").startswith(
        b"HTTP/1.1 414 "
    )
    upgrade = b"host: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
    odd = (
        b"GET /ocpp/CP\xc3\xa9 HTTP/1.1\r\n"
        + upgrade
        + b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    assert raw(server.ocpp, odd).startswith(b"HTTP/1.1 400 ")
    assert raw(server.http, b"NONSENSE\r\n\r\n").startswith(b"HTTP/1.1 400 ")


UPGRADE = (
    b"host: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
    b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"POST /ocpp/CP1 HTTP/1.1\r\n" + UPGRADE + b"\r\n", b"405"),
        (b"GET /ocpp/CP1 HTTP/1.1\r\n" + UPGRADE + b"content-length: 2\r\n\r\nhi", b"400"),
        (b"GET /ocpp/CP1 HTTP/1.1\r\n" + UPGRADE + b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
        (b"GET /ocpp/CP1 HTTP/1.1\r\n" + UPGRADE.replace(b"dGhl", b"####") + b"\r\n", b"400"),
        (b"GET /ocpp/CP1 HTTP/1.1\r\n" + UPGRADE.replace(b"13", b"12") + b"\r\n", b"400"),
        (b"GET /ocpp/CP1 HTTP/1.1\r\n" + UPGRADE + b"x-latin: \xe9\xff\r\n\r\n", b"101"),
        (b"GET /ocpp/CP%C3%A9%00 HTTP/1.1\r\n" + UPGRADE + b"\r\n", b"101"),
    ],
)
def test_a_broken_upgrade_request_gets_an_answer_and_an_odd_one_is_let_through(server, request_bytes, status):
    with socket.create_connection(("127.0.0.1", server.ocpp), timeout=3) as connection:
        connection.sendall(request_bytes)
        assert connection.recv(65536).startswith(b"HTTP/1.1 " + status)


def test_ordinary_headers_below_the_limits_pass_also_on_a_reused_connection(server):
    with httpx.Client(base_url=f"http://127.0.0.1:{server.http}") as client:
        for _ in range(4):
            filler = {f"x-filler-{n}": "y" * 3000 for n in range(4)}
            assert client.get("/healthz", headers=filler).status_code == 200
        assert client.post("/healthz", content=b"z" * 300_000).status_code == 405
        assert client.get("/healthz").status_code == 200


def test_a_head_that_never_ends_is_cut_off(server):
    began = time.monotonic()
    assert raw(server.ocpp, b"GET /ocpp/CP1 HTTP/1.1\r\nhost: x\r\n", seconds=20) == b""
    assert protocols.HEAD_SECONDS - 1 < time.monotonic() - began < protocols.HEAD_SECONDS + 30


def test_sigterm_ends_everything_soon_and_tells_the_station_1012():
    with process() as running:
        client = httpx.Client(base_url=f"http://127.0.0.1:{running.http}")
        with client, running.station() as station:
            station.send("hello")
            assert station.recv() == "5"
            assert client.get("/healthz").status_code == 200
            seconds, out, err = running.end()
            with pytest.raises(ConnectionClosed) as closed:
                station.recv()
        assert closed.value.rcvd.code == 1012
        assert seconds < 10
        assert out == "stopping\nstation gone 1012\nthe end\n"
        assert [json.loads(line)["event"] for line in err.splitlines()] == ["stopping"]
        assert running.popen.returncode == 0


def test_a_request_under_way_gets_its_answer_at_the_end():
    with process() as running, socket.create_connection(("127.0.0.1", running.http)) as connection:
        connection.sendall(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n")
        time.sleep(0.3)
        _, out, _ = running.end(signal.SIGINT)
        assert b"late but whole" in connection.recv(65536)
        assert out.endswith("the end\n")


def test_while_stopping_nobody_new_is_let_in_and_a_second_signal_ends_at_once():
    with process("hang") as running:
        running.popen.send_signal(signal.SIGTERM)
        assert running.popen.stdout.readline() == "stopping\n"
        for port in (running.http, running.ocpp):
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port))
        seconds, out, _ = running.end()
        assert seconds < listeners.GRACE_SECONDS
        assert out == ""
        assert running.popen.returncode == -signal.SIGTERM


def test_a_request_that_never_ends_does_not_hold_the_process_for_long():
    with process() as running, socket.create_connection(("127.0.0.1", running.http)) as connection:
        connection.sendall(b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n")
        time.sleep(0.2)
        seconds, out, _ = running.end()
        assert seconds < listeners.GRACE_SECONDS + 30
        assert out.endswith("the end\n")


def test_a_failing_start_stops_the_servers_and_is_not_swallowed():
    with process("fail") as running:
        assert running.popen.stdout.read() == "stopping\n"
        assert "RuntimeError: the house does not stand" in running.popen.stderr.read()
        assert running.popen.wait(10) == 1


def test_a_refused_handshake_is_readable_and_leaves_no_error_line_but_a_forgotten_answer_does():
    with process() as running:
        with pytest.raises(InvalidStatus) as refused:
            running.station("/refused")
        assert refused.value.response.status_code == 401
        assert refused.value.response.body == b"who are you?"
        _, _, err = running.end()
        assert [json.loads(line)["event"] for line in err.splitlines()] == ["stopping"]
    with process() as running:
        with pytest.raises(InvalidStatus) as failed:
            running.station("/silent")
        assert failed.value.response.status_code == 500
        _, _, err = running.end()
        assert "without completing handshake" in err


@pytest.mark.parametrize("which", ["http", "ocpp"])
def test_a_port_in_use_is_one_line_and_exit_code_1(which):
    with closing(socket.socket()) as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        taken = squatter.getsockname()[1]
        ports = {"http": free_ports()[0], "ocpp": free_ports()[1]} | {which: taken}
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(ports["http"]), str(ports["ocpp"])],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr == (
        f"Port {taken} on 127.0.0.1 is already in use; stop what uses it, "
        f"or set VOLTBRIDGE_{which.upper()}_PORT to another port\n"
    )


def test_an_address_of_another_machine_or_of_none_is_one_line_that_names_the_host_variable():
    with pytest.raises(
        ListenError, match=r"^203\.0\.113\.1 is not an address of this machine; .*VOLTBRIDGE_HTTP_HOST$"
    ):
        open_listener("203.0.113.1", 8000, variable="VOLTBRIDGE_HTTP_PORT")
    with pytest.raises(ListenError, match=r"VOLTBRIDGE_OCPP_HOST$"):
        open_listener("no such host", 9000, variable="VOLTBRIDGE_OCPP_PORT")


def readiness(ready):
    with TestClient(Starlette(routes=health_routes(ready))) as client:
        return client.get("/readyz")


def test_readyz_says_why_it_is_not_ready(monkeypatch):
    async def no():
        return False

    async def broken():
        raise ConnectionError("postgresql://volt:hunter2@db refused")

    async def hangs():
        await asyncio.sleep(60)
        return True

    monkeypatch.setattr(main, "READY_SECONDS", 0.02)
    for ready, reason in ((no, "migrations"), (broken, "ConnectionError"), (hangs, "no answer")):
        answer = readiness(ready)
        assert answer.status_code == 503
        assert answer.json()["status"] == "not ready"
        assert reason in answer.json()["reason"]
        assert "hunter2" not in answer.text


def test_health_endpoints_take_only_get():
    async def yes():
        return True

    with TestClient(Starlette(routes=health_routes(yes))) as client:
        assert client.get("/metrics").headers["content-type"].startswith("text/plain")
        for path in ("/healthz", "/readyz", "/metrics"):
            assert client.post(path).status_code == 405
