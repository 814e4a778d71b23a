"""Bad requests of partners, over the real program: an envelope with its ids every time, and nothing stored changes."""

import base64

import httpx
import pytest

from tests.flows.site import fresh, set_up

TOKEN = {
    "country_code": "DE",
    "party_id": "EMS",
    "uid": "BADTOKEN1",
    "type": "RFID",
    "contract_id": "DE-EMS-C1",
    "issuer": "Elbe Mobility",
    "valid": True,
    "whitelist": "ALLOWED",
    "last_updated": "2026-01-01T00:00:00Z",
}
OUR_TOKEN = "/2.2.1/receiver/tokens/DE/EMS/BADTOKEN1"


def without(name):
    return {key: value for key, value in TOKEN.items() if key != name}


BAD_BODIES = {
    "broken JSON": (b'{"uid": ', 400),
    "no JSON at all": (b"hello", 400),
    "an empty body": (b"", 400),
    "NaN": (b'{"uid": NaN}', 400),
    "100 000 nested arrays": (b"[" * 100_000 + b"]" * 100_000, 200),
    "a list": ([TOKEN], 200),
    "null": (b"null", 200),
    "a missing field": (without("uid"), 200),
    "a wrong type": (TOKEN | {"valid": "true"}, 200),
    "an unknown enum value": (TOKEN | {"whitelist": "SOMETIMES"}, 200),
    "a time that is none": (TOKEN | {"last_updated": "yesterday"}, 200),
    "a text too long": (TOKEN | {"issuer": "x" * 5000}, 200),
    "another uid than in the URL": (TOKEN | {"uid": "OTHER"}, 200),
    "another party than in the URL": (TOKEN | {"party_id": "XYZ"}, 200),
}
PATHS = {
    "an unknown module": ("GET", "/2.2.1/nothing", 404),
    "an unknown version": ("GET", "/9.9/sender/locations", 404),
    "an unknown location": ("GET", "/2.2.1/sender/locations/NOWHERE", 404),
    "an unknown session": ("GET", "/2.2.1/sender/sessions/NOTHING", 404),
    "a method a list has not": ("DELETE", "/2.2.1/sender/locations", 405),
    "a method a module has not": ("POST", "/2.2.1/sender/sessions", 405),
    "a foreign party": ("PUT", "/2.2.1/receiver/tokens/NL/XYZ/BADTOKEN1", 404),
}


OWN = object()


class Caller:
    """A partner that says what it likes; every answer must be an envelope that carries the ids it was asked with."""

    def __init__(self, client, house, token):
        self.client, self.house, self.token = client, house, token

    async def ask(self, method, path, *, authorization=OWN, body=b"", **headers):
        given = {"X-Request-ID": f"r-{fresh()}", "X-Correlation-ID": f"c-{fresh()}"} | headers
        if authorization is not None:
            own = "Token " + base64.b64encode(self.token.encode()).decode()
            given["Authorization"] = own if authorization is OWN else authorization
        request = {"content": body} if isinstance(body, bytes) else {"json": body}
        answer = await self.client.request(method, f"/ocpi/cpo{path}", headers=given, **request)
        envelope = answer.json()
        assert isinstance(envelope["status_code"], int), envelope
        assert envelope["timestamp"].endswith("Z")
        for name in ("X-Request-ID", "X-Correlation-ID"):
            assert answer.headers[name] == given[name]
        assert answer.headers["Content-Type"].startswith("application/json")
        self.house.check_secrets(answer.text, f"{method} {path}")
        return answer.status_code, envelope["status_code"], answer


@pytest.fixture
async def caller(house, partner):
    token = partner.emsp.registration.connection.token
    async with httpx.AsyncClient(base_url=house.url, trust_env=False, timeout=30) as client:
        yield Caller(client, house, token)


async def stored(house):
    """Everything that a partner could have changed, without sessions that end by themselves for want of a car."""
    return [
        [each for each in await house.admin.all(path) if each.get("status") not in ("PENDING", "INVALID")]
        for path in ("tokens", "tokens?own=false", "locations", "tariffs", "sessions", "cdrs", "transactions")
    ] + [
        [{"id": p["id"], "state": p["state"], "roles": p["roles"]} for p in await house.admin.all("partners")]
    ]


STRANGERS = (
    None, "", "Token", "Token %%%", "Token bm9ib2R5", "Basic bm9ib2R5OnB3", "Bearer operators-token", "Token " + "A" * 2000,
)  # fmt: skip


async def test_without_a_valid_token_every_path_is_401(house, partner, caller):
    before = await stored(house)
    for authorization in STRANGERS:
        for method, path in (
            ("GET", "/versions"),
            ("GET", "/2.2.1/sender/locations"),
            ("PUT", OUR_TOKEN),
            ("GET", "/nowhere"),
        ):
            status, code, answer = await caller.ask(method, path, authorization=authorization)
            assert (status, 2000 <= code < 3000) == (401, True), (authorization, path, answer.text)
    assert await stored(house) == before


async def test_the_token_of_an_invitation_opens_the_handshake_only(house, partner, caller):
    invited = await house.admin.post("partners", {"name": "Unused", "platform": "cpo"})
    house.secrets.add(invited["token_a"])
    token_a = "Token " + base64.b64encode(invited["token_a"].encode()).decode()
    before = await stored(house)
    assert (await caller.ask("GET", "/versions", authorization=token_a))[:2] == (200, 1000)
    for path in (
        "/2.2.1/sender/locations",
        "/2.2.1/sender/sessions",
        "/2.2.1/sender/cdrs",
        "/2.2.1/sender/tariffs",
        OUR_TOKEN,
    ):
        assert (await caller.ask("GET", path, authorization=token_a))[0] == 401
    assert await stored(house) == before
    assert (await house.admin.ask("DELETE", f"partners/{invited['id']}")).status_code == 200


async def test_a_bad_body_is_told_and_changes_nothing(house, partner, caller):
    before = await stored(house)
    told = {}
    for what, (body, _) in BAD_BODIES.items():
        http, code, _ = await caller.ask("PUT", OUR_TOKEN, body=body)
        told[what] = (http, code)
    assert told == {what: (http, 2001) for what, (_, http) in BAD_BODIES.items()}
    assert await stored(house) == before


async def test_a_wrong_path_or_method_is_told_in_an_envelope(house, partner, caller):
    before = await stored(house)
    told = {}
    for what, (method, path, _) in PATHS.items():
        told[what] = (await caller.ask(method, path, body=TOKEN if method == "PUT" else b""))[0]
    assert told == {what: http for what, (_, _, http) in PATHS.items()}
    assert await stored(house) == before


PAGES = (
    "limit=-1", "limit=0", "limit=ten", "limit=" + "9" * 40, "offset=-5", "offset=" + "9" * 40, "limit=1&limit=2",
    "date_from=yesterday", "date_from=2026-13-45T00:00:00Z", "date_to=", "date_from=%00", "limit=%F0%9F%98%80",
)  # fmt: skip


async def test_absurd_paging_is_answered_without_a_fault(house, partner, caller):
    await set_up(house, partner)
    for query in PAGES:
        status, code, answer = await caller.ask("GET", f"/2.2.1/sender/locations?{query}")
        assert (query, status) == (query, 200)
        assert (query, code in (1000, 2001)) == (query, True)
        if code == 1000:
            assert len(answer.json()["data"]) <= int(answer.headers["X-Limit"])


async def test_a_body_beyond_the_limit_is_413(house, partner, caller):
    assert (await caller.ask("PUT", OUR_TOKEN, body=b'{"uid":"' + b"x" * 2**21 + b'"}'))[0] == 413


async def test_registering_with_a_url_that_is_none_changes_nothing(house, partner, caller):
    invited = await house.admin.post("partners", {"name": "Unused", "platform": "cpo"})
    house.secrets.add(invited["token_a"])
    authorization = "Token " + base64.b64encode(invited["token_a"].encode()).decode()
    role = {"role": "EMSP", "party_id": "NEW", "country_code": "DE", "business_details": {"name": "New"}}
    for url in ("ftp://example.com/versions", "file:///etc/passwd", "javascript:alert(1)", "not a url", ""):
        body = {"token": "their-own-token", "url": url, "roles": [role]}
        status, code, answer = await caller.ask(
            "POST", "/2.2.1/credentials", authorization=authorization, body=body
        )
        assert status == 200, answer.text
        assert code in (2001, 3001), answer.text
    for body in ({}, [], {"token": "x"}, {"token": "x", "url": caller.house.url, "roles": []}):
        status, code, answer = await caller.ask(
            "POST", "/2.2.1/credentials", authorization=authorization, body=body
        )
        assert (status, code) == (200, 2001), answer.text
    left = await house.admin.get(f"partners/{invited['id']}")
    assert (left["state"], left["roles"], left["endpoints"]) == ("invited", [], [])
    assert (await caller.ask("GET", "/versions", authorization=authorization))[:2] == (200, 1000)
    assert (await house.admin.ask("DELETE", f"partners/{invited['id']}")).status_code == 200


async def test_a_party_of_another_partner_cannot_be_taken_over(house, partner, caller, new_partner):
    thief = new_partner("EMS")
    invited = await house.admin.post("partners", {"name": "Thief", "platform": "cpo"})
    house.secrets.add(invited["token_a"])
    with pytest.raises(Exception, match="part"):
        await thief.do(thief.emsp.register(invited["versions_url"], invited["token_a"]))
    left = await house.admin.get(f"partners/{invited['id']}")
    assert (left["state"], left["roles"]) == ("invited", [])
    assert (await house.admin.ask("DELETE", f"partners/{invited['id']}")).status_code == 200
    assert (await caller.ask("GET", "/2.2.1/sender/locations"))[:2] == (200, 1000)
