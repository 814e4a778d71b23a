"""Partners over the admin API, in the real handshake with a partner that is played over HTTP."""

import inspect
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from ocpi.client import Answer
from ocpi.errors import PartnerUnreachable, Unreachable

VERSIONS = "https://emsp.example/versions"
DETAILS = "https://emsp.example/2.2.1"
CREDENTIALS = f"{DETAILS}/credentials"

# Refused before anything is written: alike on both databases.
ON_ONE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


class Partner:
    """A partner's side of the handshake, in the place of the network (ocpi.client.PartnerClient)."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.tokens: list[str] = []
        self.broken_at: str | None = None
        self.blocked = False

    async def send(
        self, method: str, url: str, peer: Any, *, body: bytes | None = None, **_more: Any
    ) -> Answer:
        self.sent.append((method, url))
        self.tokens.append(peer.token)
        if self.blocked:
            raise PartnerUnreachable(Unreachable.BLOCKED, "the address is not public")
        if url == self.broken_at:
            raise PartnerUnreachable(Unreachable.TIMEOUT, "no answer within 10 s")
        if body is not None:
            self.tokens.append(json.loads(body)["token"])
        return self._answer(url)

    def _answer(self, url: str) -> Answer:
        data: Any = {
            VERSIONS: [{"version": "2.2.1", "url": DETAILS}],
            DETAILS: {
                "version": "2.2.1",
                "endpoints": [
                    {"identifier": "credentials", "role": "SENDER", "url": CREDENTIALS},
                    {"identifier": "sessions", "role": "RECEIVER", "url": f"{DETAILS}/sessions"},
                ],
            },
            CREDENTIALS: {
                "token": "token-c-of-the-partner",
                "url": VERSIONS,
                "roles": [
                    {
                        "role": "EMSP",
                        "country_code": "DE",
                        "party_id": "EMP",
                        "business_details": {"name": "eMSP"},
                    }
                ],
            },
        }.get(url)
        return _answered(data)

    async def aclose(self) -> None:
        """There is nothing to close."""


def _answered(data: Any) -> Answer:
    known: dict[str, Any] = {
        "http_status": 200, "status_code": 1000, "status_message": "OK", "data": data, "headers": {}, "duration": 0.0,
        "body": b"",
    }  # fmt: skip
    return Answer(**{name: known[name] for name in inspect.signature(Answer).parameters if name in known})


@pytest.fixture
async def partner(house: Any) -> AsyncIterator[Partner]:
    double, real = Partner(), house.desk
    house.desk = replace(real, client=double)
    object.__setattr__(house.app.state.context, "desk", house.desk)
    yield double
    house.desk = real


@pytest.fixture
async def invited(api: httpx.AsyncClient) -> dict[str, Any]:
    answer = await api.post("/partners", json={"name": "eMSP", "platform": "cpo"})
    assert answer.status_code == 201
    body: dict[str, Any] = answer.json()
    return body


@pytest.fixture
async def registered(api: httpx.AsyncClient, partner: Partner, invited: dict[str, Any]) -> dict[str, Any]:
    body = {"versions_url": VERSIONS, "token_a": "their-token-a"}
    answer = await api.post(f"/partners/{invited['id']}/register", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def no_token(answer: httpx.Response, *tokens: str) -> None:
    assert not re.search(r"token_(a|hash|out)|hash", answer.text)
    for token in tokens:
        assert token not in answer.text


async def test_an_invitation_shows_its_token_once(api: httpx.AsyncClient, invited: dict[str, Any]) -> None:
    assert invited["state"] == "invited"
    assert invited["versions_url"] == "http://127.0.0.1:8000/ocpi/cpo/versions"
    assert len(invited["token_a"]) >= 32
    for path in ("/partners", f"/partners/{invited['id']}"):
        no_token(answer := await api.get(path), invited["token_a"])
        assert answer.status_code == 200


async def test_we_register(
    api: httpx.AsyncClient, partner: Partner, invited: dict[str, Any], registered: dict[str, Any]
) -> None:
    assert (registered["id"], registered["state"], registered["version"]) == (
        invited["id"],
        "registered",
        "2.2.1",
    )
    assert partner.sent == [("GET", VERSIONS), ("GET", DETAILS), ("POST", CREDENTIALS)]
    shown = await api.get(f"/partners/{invited['id']}")
    no_token(shown, *partner.tokens, "token-c-of-the-partner")
    body = shown.json()
    assert body["roles"] == [
        {"role": "EMSP", "country_code": "DE", "party_id": "EMP", "business_details": {"name": "eMSP"}}
    ]
    assert {each["identifier"] for each in body["endpoints"]} == {"credentials", "sessions"}
    assert body["last_contact"].endswith("Z")
    assert body["delivery"] | {"depth": 0, "oldest": None, "lag_seconds": 0} == body["delivery"]


@ON_ONE
@pytest.mark.parametrize(
    ("url", "step"), [(VERSIONS, "versions"), (DETAILS, "version details"), (CREDENTIALS, "credentials")]
)
async def test_a_handshake_that_fails_changes_nothing(
    api: httpx.AsyncClient, partner: Partner, invited: dict[str, Any], url: str, step: str
) -> None:
    before = (await api.get("/partners")).json()
    partner.broken_at = url
    body = {"versions_url": VERSIONS, "token_a": "their-token-a"}
    failed = await api.post(f"/partners/{invited['id']}/register", json=body)
    assert failed.status_code == 502
    assert failed.json()["step"] == step
    assert "no answer within 10 s" in failed.json()["detail"]
    after = (await api.get("/partners")).json()
    assert [each["state"] for each in after] == ["invited"]
    assert [each["roles"] for each in after] == [each["roles"] for each in before]
    partner.broken_at = None
    assert (await api.post(f"/partners/{invited['id']}/register", json=body)).status_code == 200


@ON_ONE
@pytest.mark.parametrize(
    "change",
    [
        {"versions_url": "ftp://emsp.example/versions"},
        {"versions_url": "javascript:alert(1)"},
        {"versions_url": "https://user:secret@emsp.example/versions"},
        {"versions_url": "not a url"},
        {"versions_url": ""},
        {"versions_url": None},
        {"token_a": ""},
        {"token_a": "two words"},
        {"token_a": "x" * 65},
        {"token_a": None},
    ],
)
async def test_what_cannot_be_used_is_not_tried(
    api: httpx.AsyncClient, partner: Partner, invited: dict[str, Any], change: dict[str, Any]
) -> None:
    body = {"versions_url": VERSIONS, "token_a": "their-token-a"} | change
    refused = await api.post(f"/partners/{invited['id']}/register", json=body)
    assert (refused.status_code, refused.json()["field"]) == (422, next(iter(change)))
    assert "secret" not in refused.text
    assert partner.sent == []


async def test_a_private_address_is_the_operators_to_mend(
    api: httpx.AsyncClient, partner: Partner, invited: dict[str, Any]
) -> None:
    partner.blocked = True
    body = {"versions_url": "http://10.0.0.1/versions", "token_a": "their-token-a"}
    refused = await api.post(f"/partners/{invited['id']}/register", json=body)
    assert (refused.status_code, refused.json()["field"]) == (422, "versions_url")
    assert (await api.get(f"/partners/{invited['id']}")).json()["state"] == "invited"


async def test_rotate_pause_resume(
    api: httpx.AsyncClient, house: Any, partner: Partner, registered: dict[str, Any]
) -> None:
    path = f"/partners/{registered['id']}"
    assert (
        await api.post(f"{path}/register", json={"versions_url": VERSIONS, "token_a": "x"})
    ).status_code == 409
    assert (await api.post(f"{path}/rotate")).json()["state"] == "registered"
    assert partner.sent[-1] == ("PUT", CREDENTIALS)
    assert (await api.post(f"{path}/pause")).json()["state"] == "paused"
    assert (await api.post(f"{path}/resume")).json()["state"] == "registered"
    assert house.woken == 1
    partner.broken_at = CREDENTIALS
    failed = await api.post(f"{path}/rotate")
    assert (failed.status_code, failed.json()["step"]) == (502, "credentials")


async def test_what_an_invitation_cannot_do(api: httpx.AsyncClient, invited: dict[str, Any]) -> None:
    for what in ("rotate", "pause", "resume"):
        assert (await api.post(f"/partners/{invited['id']}/{what}")).status_code == 409
    for what in ("rotate", "pause", "resume", "reinvite"):
        assert (await api.post(f"/partners/p-none/{what}")).status_code == 404


async def test_reinvite_gives_another_token(api: httpx.AsyncClient, invited: dict[str, Any]) -> None:
    again = await api.post(f"/partners/{invited['id']}/reinvite")
    assert again.status_code == 200
    assert again.json()["token_a"] != invited["token_a"]
    assert again.json()["state"] == "invited"


async def test_unregister(api: httpx.AsyncClient, partner: Partner, registered: dict[str, Any]) -> None:
    partner.broken_at = CREDENTIALS
    gone = await api.delete(f"/partners/{registered['id']}")
    assert gone.status_code == 200
    assert gone.json()["state"] == "suspended"
    assert "no answer" in gone.json()["trouble"]
    assert partner.sent[-1] == ("DELETE", CREDENTIALS)


async def test_taking_an_invitation_back(api: httpx.AsyncClient, invited: dict[str, Any]) -> None:
    gone = await api.delete(f"/partners/{invited['id']}")
    assert gone.json() == {"id": invited["id"], "state": "removed"}
    assert (await api.get("/partners")).json() == []


async def test_settings(api: httpx.AsyncClient, invited: dict[str, Any]) -> None:
    path = f"/partners/{invited['id']}"
    changed = await api.patch(path, json={"empty_ack": True, "pace": 2.5, "page_limit": 50})
    assert changed.status_code == 200, changed.text
    settings = changed.json()["settings"]
    assert (settings["empty_ack"], settings["pace"], settings["page_limit"]) == (True, 2.5, 50)
    assert settings["raw_token"] is False
    for wrong in (
        {"empty_ack": "yes"}, {"pace": 0}, {"page_limit": 0}, {"broadcast": "all"}, {"colour": "red"}, {"pace": "2"},
    ):  # fmt: skip
        refused = await api.patch(path, json=wrong)
        assert (refused.status_code, refused.json()["field"]) == (422, next(iter(wrong))), refused.text
    assert (await api.get(path)).json()["settings"] == settings


async def test_a_probe_tells_each_step_and_changes_nothing(api: httpx.AsyncClient, partner: Partner) -> None:
    answer = await api.post("/partners/probe", json={"versions_url": VERSIONS, "token_a": "their-token-a"})
    assert answer.status_code == 200
    body = answer.json()
    assert body["ok"]
    assert [each["step"] for each in body["checks"] if each["ok"] is None] == ["clock"]
    no_token(answer, "their-token-a")
    partner.blocked = True
    refused = (await api.post("/partners/probe", json={"versions_url": VERSIONS})).json()
    assert not refused["ok"]
    assert refused["checks"][0]["ok"] is False
    assert (await api.get("/partners")).json() == []


@ON_ONE
@pytest.mark.parametrize(
    "body", [{}, {"versions_url": "ftp://x"}, {"versions_url": VERSIONS, "token_a": "a b"}]
)
async def test_a_probe_of_nothing_is_refused(api: httpx.AsyncClient, body: dict[str, Any]) -> None:
    assert (await api.post("/partners/probe", json=body)).status_code == 422
