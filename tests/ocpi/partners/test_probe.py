"""What the probe finds at partners that work and at broken ones."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from ocpi.client import PartnerClient, Peer
from ocpi.headers import authorization
from ocpi.partners.probe import STEPS, probe

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
VERSIONS = "https://emsp.example/versions"
DETAILS = "https://emsp.example/2.2.1"
OFFERED = [
    {"identifier": "credentials", "role": "SENDER", "url": f"{DETAILS}/credentials"},
    {"identifier": "tokens", "role": "SENDER", "url": f"{DETAILS}/tokens"},
]


class Web:
    """The partner's side: answers by URL; `token` is the one it takes, as it expects the header."""

    def __init__(self):
        self.header = authorization("secret-a")
        self.at = NOW
        self.failing = {}
        self.versions = [
            {"version": "2.2.1", "url": DETAILS},
            {"version": "2.1.1", "url": "https://x.example"},
        ]
        self.endpoints = list(OFFERED)
        self.asked = []

    def __call__(self, request):
        url = str(request.url)
        self.asked.append((request.method, url, request.headers.get("Authorization")))
        if (failing := self.failing.get(url)) is not None:
            if isinstance(failing, Exception):
                raise failing
            return failing
        if request.headers.get("Authorization") != self.header:
            return self.envelope(2001, None, 401)
        data = {
            VERSIONS: self.versions,
            DETAILS: {"version": "2.2.1", "endpoints": self.endpoints},
        }.get(url)
        return self.envelope(1000, data, 200) if data is not None else self.envelope(2000, None, 405)

    def envelope(self, code, data, status):
        return httpx.Response(
            status,
            json={"status_code": code, "data": data, "timestamp": "2026-11-20T12:00:00Z"},
            headers={"Date": self.at.strftime("%a, %d %b %Y %H:%M:%S GMT")},
        )


@pytest.fixture
def web():
    return Web()


@pytest.fixture
def look(web, played):
    """Probe the partner; gives the checks by step."""

    async def looking(token="secret-a", url=VERSIONS, *, raw_token=False):
        async with PartnerClient(played(web)) as client:
            peer = Peer(token=token, name="probe", raw_token=raw_token)
            checks = await probe(client, url, peer, lambda: NOW)
        assert tuple(each.step for each in checks) == STEPS
        return {each.step: each for each in checks}

    return looking


def states(checks):
    return "".join({True: "+", False: "x", None: "."}[each.ok] for each in checks.values())


async def test_a_partner_in_order_is_green_at_every_step_and_is_only_read(look, web):
    checks = await look()

    assert states(checks) == "+" * 10
    assert all(each.advice is None for each in checks.values())
    assert {method for method, _, _ in web.asked} == {"GET"}
    assert web.asked[0][2] is None, "the first look is without any token"
    assert "secret-a" not in repr(checks)


async def test_without_a_token_what_can_be_seen_is_seen(look):
    checks = await look(token="")

    assert states(checks) == "+++++....+"
    assert "token A" in checks["versions with token"].advice


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (httpx.ConnectError("no"), "++x......."),
        (httpx.ConnectTimeout("late"), "++x......."),
        (httpx.ReadError("gone"), "++x......."),
    ],
)
async def test_a_way_that_is_closed_is_named_and_nothing_more_is_tried(look, web, error, expected):
    web.failing[VERSIONS] = error
    checks = await look()

    assert states(checks) == expected
    assert checks["connection"].advice
    assert len(web.asked) == 1


async def test_an_address_we_would_never_call_is_refused_before_anything_is_sent(look, web):
    checks = await look(url="https://127.0.0.1/versions")

    assert states(checks) == "x........."
    assert web.asked == []


async def test_a_web_page_in_place_of_an_envelope(look, web):
    web.failing[VERSIONS] = httpx.Response(200, html="<h1>Welcome</h1>")
    checks = await look()

    assert states(checks) == "++++xx...."
    assert "web page" in checks["versions without token"].found


async def test_a_token_that_is_wrong_and_one_that_travels_another_way(look, web):
    wrong = await look(token="other")
    assert states(wrong) == "+++++x...+"
    assert "token A" in wrong["versions with token"].advice

    web.header = authorization("secret-a", raw=True)
    raw = await look()
    assert states(raw) == "+" * 10
    assert raw["versions with token"].advice == "set raw_token to true"


async def test_versions_and_endpoints_that_do_not_do(look, web):
    web.endpoints = OFFERED[:1]
    assert states(await look()) == "+++++++x.+"
    web.endpoints = OFFERED[1:]
    assert "credentials" in (await look())["endpoints"].advice
    web.versions = [{"version": "2.1.1", "url": DETAILS}, "nonsense"]
    checks = await look()
    assert states(checks) == "++++++x..+"
    assert "2.1.1" in checks["version"].found


async def test_credentials_that_do_not_speak_ocpi(look, web):
    web.failing[f"{DETAILS}/credentials"] = httpx.Response(502, text="Bad Gateway")
    checks = await look()

    assert states(checks) == "++++++++x+"
    assert checks["credentials"].found == "HTTP 502, no OCPI status"


async def test_clocks_that_are_apart(look, web):
    web.at = NOW + timedelta(minutes=10)
    checks = await look()

    assert states(checks) == "+" * 9 + "x"
    assert checks["clock"].found == "600 s ahead of ours"
