"""Tokens that eMSPs push to us."""

import httpx
import pytest

from app.domain.tokens import TokenType
from app.store import tokens
from ocpi.headers import authorization
from ocpi.partners import invitations


@pytest.fixture
async def call(ocpi_house, emsp):
    """Call the tokens receiver as the registered eMSP: `await call("PUT", "DE/EMS/1", json={...})`."""
    emsp.tokens.clear()
    _, token_a = await invitations.invite(ocpi_house.desk, "Elbe Mobility")
    await emsp.register(ocpi_house.desk.versions_url("cpo"), token_a)
    headers = {"Authorization": authorization(emsp.registration.connection.token)}
    async with httpx.AsyncClient(trust_env=False, headers=headers) as client:

        async def calling(method, path, **more):
            url = f"{ocpi_house.base_url}/ocpi/cpo/2.2.1/receiver/tokens/{path}"
            response = await client.request(method, url, **more)
            return response.status_code, response.json()

        yield calling


async def stored(house, uid, kind=TokenType.RFID):
    async with house.store.reading() as session:
        return await tokens.get(session, "DE", "EMS", uid, kind)


async def test_a_token_is_created_replaced_and_shown_as_given(ocpi_house, call, wire_object):
    token = wire_object("token", uid="AbC1", language="de", custom="kept")

    status, body = await call("PUT", "DE/EMS/AbC1", json=token)
    assert (status, body["status_code"]) == (201, 1000)
    assert "data" not in body
    later = token | {"valid": False, "last_updated": "2026-03-01T11:00:00Z"}
    assert (await call("PUT", "de/ems/abc1", json=later))[0] == 200

    status, body = await call("GET", "DE/EMS/ABC1")
    assert (status, body["data"]) == (200, later)
    assert (await stored(ocpi_house, "abc1")).valid is False


async def test_a_push_that_comes_late_changes_nothing(ocpi_house, call, wire_object):
    newest = wire_object("token", valid=False, last_updated="2026-03-02T00:00:00Z")
    path = f"DE/EMS/{newest['uid']}"
    await call("PUT", path, json=newest)

    status, body = await call(
        "PUT", path, json=newest | {"valid": True, "last_updated": "2026-03-01T00:00:00Z"}
    )

    assert (status, body["status_code"]) == (200, 1000)
    assert (await stored(ocpi_house, newest["uid"])).valid is False


async def test_the_type_belongs_to_the_identity(ocpi_house, call, wire_object):
    app_user = wire_object("token", uid="U1", type="APP_USER")

    assert (await call("PUT", "DE/EMS/U1?type=APP_USER", json=app_user))[0] == 201
    assert (await call("GET", "DE/EMS/U1"))[0] == 404
    assert (await call("GET", "DE/EMS/U1?type=APP_USER"))[1]["data"]["type"] == "APP_USER"
    for path in ("DE/EMS/U1", "DE/EMS/U1?type=OTHER", "DE/EMS/U1?type=nonsense"):
        status, body = await call("PUT", path, json=app_user)
        assert (status, body["status_code"]) == (200, 2001), path


async def test_a_patch_changes_only_what_it_names(ocpi_house, call, wire_object):
    token = wire_object("token", uid="U1", visual_number="1234", language="de")
    await call("PUT", "DE/EMS/U1", json=token)

    status, body = await call(
        "PATCH",
        "DE/EMS/U1",
        json={"valid": False, "language": None, "last_updated": "2026-03-01T12:00:00Z"},
    )

    assert (status, body["status_code"]) == (200, 1000)
    expected = token | {"valid": False, "last_updated": "2026-03-01T12:00:00Z"}
    del expected["language"]
    assert (await call("GET", "DE/EMS/U1"))[1]["data"] == expected


async def test_a_patch_that_makes_no_sense_changes_nothing(ocpi_house, call, wire_object):
    token = wire_object("token", uid="U1")
    await call("PUT", "DE/EMS/U1", json=token)
    stamp = {"last_updated": "2026-03-01T12:00:00Z"}

    for patch in (
        {"valid": False},
        {"valid": None} | stamp,
        {"uid": "U2"} | stamp,
        {"type": "OTHER"} | stamp,
        {"valid": "false"} | stamp,
        {"party_id": "XYZ"} | stamp,
    ):
        status, body = await call("PATCH", "DE/EMS/U1", json=patch)
        assert (status, body["status_code"]) == (200, 2001), patch
    assert (await call("GET", "DE/EMS/U1"))[1]["data"] == token
    assert (await call("PATCH", "DE/EMS/unknown", json=stamp))[0] == 404


async def test_foreign_parties_look_like_unknown_ones(call, wire_object):
    for party in ("NL/VBR", "DE/XYZ", "D/E"):
        country_code, party_id = party.split("/")
        token = wire_object("token", country_code=country_code, party_id=party_id, uid="U1")
        assert (await call("PUT", f"{party}/U1", json=token))[0] == 404
        assert (await call("GET", f"{party}/U1"))[0] == 404


async def test_a_body_that_contradicts_its_url_is_2001(ocpi_house, call, wire_object):
    for changes in ({"uid": "U2"}, {"party_id": "XYZ"}, {"country_code": "NL"}):
        status, body = await call("PUT", "DE/EMS/U1", json=wire_object("token", **({"uid": "U1"} | changes)))
        assert (status, body["status_code"]) == (200, 2001), changes
    assert await stored(ocpi_house, "U1") is None


async def test_missing_and_wrong_fields_are_named(call, wire_object):
    for name in ("contract_id", "issuer", "valid", "whitelist", "last_updated", "type"):
        token = wire_object("token", uid="U1")
        del token[name]
        status, body = await call("PUT", "DE/EMS/U1", json=token)
        assert (status, body["status_code"]) == (200, 2001)
        assert name in body["status_message"]
