"""The corridor: tokens, envelopes, headers and errors of every call."""

import asyncio
import base64
import json

import httpx
import pytest

from app.store import messages
from ocpi.headers import authorization
from ocpi.partners import invitations, unknown_callers

MESSAGE_IDS = {"X-Request-ID": "req-1", "X-Correlation-ID": "corr-1"}


@pytest.fixture
async def http():
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


@pytest.fixture
async def partner(ocpi_house, emsp):
    """The eMSP, registered; the token it has from us is `emsp.registration.connection.token`."""
    found, token_a = await invitations.invite(ocpi_house.desk, "Elbe Mobility")
    await emsp.register(ocpi_house.desk.versions_url("cpo"), token_a)
    return found


def signed(token, **more):
    return {"Authorization": authorization(token)} | MESSAGE_IDS | more


@pytest.fixture
def call(ocpi_house, emsp, http, partner):
    """Call one of our URLs as the registered partner; gives the response."""

    async def calling(method, path, *, token=None, headers=None, **more):
        token = token or emsp.registration.connection.token
        return await http.request(
            method,
            f"{ocpi_house.base_url}/ocpi/cpo/{path}",
            headers=signed(token) | (headers or {}),
            **more,
        )

    return calling


def check_envelope(response, status, code):
    body = response.json()
    assert (response.status_code, body["status_code"]) == (status, code), body
    assert body["timestamp"].endswith("Z")
    assert response.headers["X-Request-ID"] == "req-1"
    assert response.headers["X-Correlation-ID"] == "corr-1"
    assert response.headers["Content-Type"] == "application/json"


async def test_a_flood_without_a_token_is_held_back_and_no_partner_with_it(
    ocpi_house, http, call, monkeypatch
):
    monkeypatch.setattr(unknown_callers, "RATE", 1e-3)
    monkeypatch.setattr(unknown_callers, "SAVED", 3)
    callers = unknown_callers.UnknownCallers()
    object.__setattr__(ocpi_house.context, "unknown_callers", callers)
    url = f"{ocpi_house.base_url}/ocpi/cpo/versions"

    answers = [await http.get(url, headers=MESSAGE_IDS) for _ in range(5)]

    assert [each.status_code for each in answers] == [401] * 3 + [429] * 2
    check_envelope(answers[-1], 429, 2000)
    assert 900 <= int(answers[-1].headers["Retry-After"]) <= 1000
    check_envelope(await call("GET", "versions"), 200, 1000)
    await ocpi_house.traffic.flush()
    async with ocpi_house.store.reading() as session:
        found, _ = await messages.find(session, limit=100)
    assert sorted(each.http_status for each in found if each.partner_id is None) == [401] * 3
    assert len(callers) == 1


WRONG_TOKENS = (
    None,
    "",
    "Token",
    "Token bm9ib2R5",
    "Bearer abc",
    "Basic abc",
    "token abc",
    "Token  two-spaces",
    "Token " + "x" * 500,
    "Token \u00e9",
)


async def test_whatever_is_wrong_with_a_token_is_401(ocpi_house, http):
    for path in ("cpo/versions", "cpo/2.2.1/sender/locations", "cpo/nothing", "hub/versions", ""):
        for value in WRONG_TOKENS:
            headers = dict(MESSAGE_IDS)
            if value is not None:
                headers["Authorization"] = value.encode("latin-1")
            response = await http.get(f"{ocpi_house.base_url}/ocpi/{path}", headers=headers)
            check_envelope(response, 401, 2000)


async def test_an_invitation_opens_the_handshake_and_nothing_else(ocpi_house, http):
    _, token_a = await invitations.invite(ocpi_house.desk, "Newcomer")

    async def status(path, method="GET"):
        url = f"{ocpi_house.base_url}/ocpi/cpo/{path}"
        return (await http.request(method, url, headers=signed(token_a))).status_code

    assert await status("versions") == 200
    assert await status("2.2.1") == 200
    assert await status("2.2.1/credentials") == 200
    assert await status("2.2.1/sender/locations") == 401
    assert await status("2.2.1/receiver/tokens/DE/EMS/1", "PUT") == 401
    assert await status("2.2.1/nothing") == 404
    assert await status("2.2.1/credentials", "PUT") == 405
    assert await status("2.2.1/credentials", "DELETE") == 405


async def test_a_token_is_read_in_every_form_that_partners_send(ocpi_house, http):
    _, token = await invitations.invite(ocpi_house.desk, "Newcomer")
    plain = base64.b64encode(token.encode()).decode()
    with_line_feed = base64.b64encode(f"{token}\n".encode()).decode()

    for value in (plain, token, with_line_feed):
        response = await http.get(
            f"{ocpi_house.base_url}/ocpi/cpo/versions", headers={"Authorization": f"Token {value}"}
        )
        assert response.status_code == 200
        url = f"{ocpi_house.base_url}/ocpi/cpo/2.2.1"
        assert response.json()["data"] == [{"version": "2.2.1", "url": url}]


async def test_details_name_every_endpoint_by_its_public_url(ocpi_house, call):
    response = await call("GET", "2.2.1")

    check_envelope(response, 200, 1000)
    base = f"{ocpi_house.base_url}/ocpi/cpo/2.2.1"
    endpoints = {(e["identifier"], e["role"]): e["url"] for e in response.json()["data"]["endpoints"]}
    assert endpoints == {
        ("credentials", "SENDER"): f"{base}/credentials",
        ("locations", "SENDER"): f"{base}/sender/locations",
        ("sessions", "SENDER"): f"{base}/sender/sessions",
        ("cdrs", "SENDER"): f"{base}/sender/cdrs",
        ("tariffs", "SENDER"): f"{base}/sender/tariffs",
        ("tokens", "RECEIVER"): f"{base}/receiver/tokens",
        ("commands", "RECEIVER"): f"{base}/receiver/commands",
        ("hubclientinfo", "RECEIVER"): f"{base}/receiver/hubclientinfo",
    }
    for url in endpoints.values():
        assert (await call("GET", url.split("/ocpi/cpo/")[1])).status_code in (200, 404)


async def test_credentials_show_the_token_in_use_and_nobody_elses(emsp, call):
    response = await call("GET", "2.2.1/credentials")

    data = response.json()["data"]
    assert data["token"] == emsp.registration.connection.token
    assert [(r["role"], r["country_code"], r["party_id"]) for r in data["roles"]] == [("CPO", "NL", "VBR")]
    assert "OCPI-to-party-id" not in response.headers


async def test_a_slash_at_the_end_changes_nothing(call):
    for slashes in ("", "/", "//"):
        response = await call("GET", f"2.2.1/sender/locations{slashes}")
        check_envelope(response, 200, 1000)
        assert response.json()["data"] == []
        assert response.headers["X-Total-Count"] == "0"
        assert "Link" not in response.headers


NOT_THERE = (
    ("GET", "2.2.1/sender/nothing", 404),
    ("GET", "2.2.1/receiver/locations", 404),
    ("GET", "2.1.1", 404),
    ("GET", "2.2.1/sender/locations/unknown", 404),
    ("GET", "2.2.1/sender/locations/a/b/c/d", 404),
    ("GET", "2.2.1/receiver/tokens", 404),
    ("GET", "2.2.1/receiver/tokens/DE/EMS/unknown", 404),
    ("POST", "2.2.1/sender/locations", 405),
    ("DELETE", "2.2.1/receiver/tokens/DE/EMS/1", 405),
    ("POST", "2.2.1/credentials", 405),
    ("OPTIONS", "versions", 405),
    ("PROPFIND", "versions", 405),
)


async def test_what_is_not_there_is_an_envelope_too(call):
    for method, path, status in NOT_THERE:
        check_envelope(await call(method, path), status, 2000)


async def test_routing_headers_come_back_swapped_and_are_filled_in(call):
    bare = await call("GET", "2.2.1/sender/locations")
    named = await call(
        "GET",
        "2.2.1/sender/locations/unknown",
        headers={
            "OCPI-to-country-code": "nl",
            "OCPI-to-party-id": "vbr",
            "OCPI-from-country-code": "DE",
            "OCPI-from-party-id": "EMS",
        },
    )

    for response, ours in ((bare, ("NL", "VBR")), (named, ("nl", "vbr"))):
        assert response.headers["OCPI-from-country-code"] == ours[0]
        assert response.headers["OCPI-from-party-id"] == ours[1]
        assert response.headers["OCPI-to-country-code"] == "DE"
        assert response.headers["OCPI-to-party-id"] == "EMS"


WRONG_PARTIES = (
    {"OCPI-from-country-code": "DE", "OCPI-from-party-id": "XXX"},
    {"OCPI-to-country-code": "DE", "OCPI-to-party-id": "XXX"},
    {"OCPI-to-country-code": "DE"},
    {"OCPI-from-country-code": "D\u00e9", "OCPI-from-party-id": "EMS"},
)


async def test_parties_that_are_not_theirs_or_not_ours_are_2001(call):
    for headers in WRONG_PARTIES:
        raw = {name: value.encode("latin-1") for name, value in headers.items()}
        check_envelope(await call("GET", "2.2.1/sender/locations", headers=raw), 200, 2001)


BODIES = (
    (b"", 400, 2001),
    (b"{", 400, 2001),
    (b"\xff\xfe", 400, 2001),
    (b'{"a": NaN}', 400, 2001),
    (b'{"a": 1e999999999}', 200, 2001),
    (b"null", 200, 2001),
    (b"[]", 200, 2001),
    (b"7", 200, 2001),
    (b'"text"', 200, 2001),
    (b"{}", 200, 2001),
    (b'{"uid": "\\ud800"}', 200, 2001),
    (b'{"uid": "\\u0000"}', 200, 2001),
    (b'{"uid": 1, "uid": 2}', 200, 2001),
    (b"[" * 100_000 + b"]" * 100_000, 200, 2001),
    (b'{"valid": "true", "last_updated": 1700000000}', 200, 2001),
)


async def test_no_body_leads_to_anything_but_400_or_2001(call):
    for body, status, code in BODIES:
        response = await call("PUT", "2.2.1/receiver/tokens/DE/EMS/1", content=body)
        check_envelope(response, status, code)


async def test_a_body_beyond_a_megabyte_is_413_declared_or_not(call):
    async def endless():
        for _ in range(20):
            yield b" " * 100_000

    path = "2.2.1/receiver/tokens/DE/EMS/1"
    check_envelope(await call("PUT", path, content=b" " * 1_100_000), 413, 2000)
    check_envelope(await call("PUT", path, content=endless()), 413, 2000)


async def test_a_compressed_body_is_refused(call):
    response = await call(
        "PUT", "2.2.1/receiver/tokens/DE/EMS/1", content=b"{}", headers={"Content-Encoding": "gzip"}
    )

    check_envelope(response, 400, 2001)


async def test_a_body_that_does_not_come_is_given_up(monkeypatch, call):
    monkeypatch.setattr("ocpi.server.corridor.BODY_SECONDS", 0.1)

    async def slow():
        yield b"{"
        await asyncio.sleep(1)
        yield b"}"

    response = await call("PUT", "2.2.1/receiver/tokens/DE/EMS/1", content=slow())

    check_envelope(response, 408, 2000)


async def test_a_store_that_is_away_is_3000_for_those_we_know(ocpi_house, call):
    await ocpi_house.worker.stop()
    await ocpi_house.store.close()

    async def away(*_args):
        raise StoreUnavailableForTest("gone")

    from app.store.database.errors import StoreUnavailable as StoreUnavailableForTest

    ocpi_house.store.pass_gate = away

    response = await call("GET", "2.2.1/sender/locations")

    check_envelope(response, 200, 3000)


async def test_what_nobody_expected_is_3000_and_says_nothing(ocpi_house, call, capsys):
    async def broken(*_args):
        raise ZeroDivisionError("a secret of the house")

    ocpi_house.store.pass_gate = broken

    response = await call("GET", "2.2.1/sender/locations")

    check_envelope(response, 200, 3000)
    assert "secret of the house" not in response.text


async def test_traffic_is_kept_and_no_token_is_in_it(ocpi_house, emsp, call, capfd):
    await call("GET", "2.2.1/credentials")
    await ocpi_house.traffic.flush()

    from app.store import messages

    async with ocpi_house.store.reading() as session:
        kept, total = await messages.find(session, limit=100)
    assert total == len(kept)
    assert total >= 6
    text = json.dumps([[str(value) for value in message] for message in kept])
    connection = emsp.registration.connection
    output = capfd.readouterr()
    for token in (connection.token, ocpi_house.desk.peer(ocpi_house.desk.registry.all()[0]).token):
        for form in (token, authorization(token).removeprefix("Token ")):
            assert form not in text
            assert form not in output.out + output.err
    assert {message.direction for message in kept} == {"in", "out"}
    assert any(message.correlation_id == "corr-1" for message in kept)
