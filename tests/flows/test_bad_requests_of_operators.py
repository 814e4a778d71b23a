"""Bad requests of operators, over the real program: problem details every time, and nothing stored changes."""

import httpx
import pytest

from tests.flows.site import connector, fresh, location, set_up, tariff
from tests.flows.station import connected

LISTS = (
    "partners",
    "locations",
    "tariffs",
    "tokens",
    "stations",
    "transactions",
    "sessions",
    "cdrs",
    "deliveries",
)


async def stored(house):
    """A dump of the admin lists, without what time alone changes."""
    dump = {path: await house.admin.all(path) for path in LISTS}
    for each in dump["partners"]:
        each.pop("delivery"), each.pop("traffic"), each.pop("last_contact")
    for each in dump["deliveries"]:
        for name in ("state", "attempts", "next_at", "last_error", "delivered_at"):
            each.pop(name)
    for each in dump["stations"]:
        each.pop("last_seen")
    # A session that waits for its car in vain becomes invalid by time alone, and its partner is told.
    dump["deliveries"] = sorted(
        (each for each in dump["deliveries"] if not each["object"].startswith("session/")),
        key=lambda each: each["id"],
    )
    dump["sessions"] = [each for each in dump["sessions"] if each["status"] not in ("PENDING", "INVALID")]
    return dump


def site(**changes):
    return location(fresh(), "NO-SUCH-TARIFF") | changes


REFUSED = {
    "a tariff without elements": ("PUT", "tariffs/X", {"currency": "EUR", "elements": []}, 422),
    "a tariff in no currency": ("PUT", "tariffs/X", tariff() | {"currency": "EURO"}, 422),
    "a price that is no number": ("PUT", "tariffs/X", tariff(ENERGY="much"), 422),
    "an id beyond OCPI's length": ("PUT", "tariffs/" + "x" * 60, tariff(), 422),
    "a location with an unknown tariff": ("PUT", "locations/X", site(), 422),
    "a location in no time zone": ("PUT", "locations/X", site(time_zone="Mars/Olympus"), 422),
    "a location without coordinates": ("PUT", "locations/X", {"city": "Utrecht"}, 422),
    "a station at an unknown location": ("PUT", "stations/X", {"location_id": "NOWHERE"}, 422),
    "a station with an unknown field": ("PUT", "stations/X", {"colour": "green"}, 422),
    "a station without a proper id": ("PUT", "stations/a%20b", {}, 422),
    "an empty password": ("PUT", "stations/X", {"password": ""}, 422),
    "a token without a type": ("PUT", "tokens/X", {"contract_id": "C", "issuer": "I", "valid": True}, 422),
    "control characters": ("POST", "partners", {"name": "a\u0000b", "platform": "cpo"}, 422),
    "an unknown platform": ("POST", "partners", {"name": "A", "platform": "moon"}, 422),
    "an unknown partner": ("POST", "partners/nobody/rotate", None, 404),
    "an unknown station": ("POST", "stations/nobody/ocpp/Reset", {"type": "Soft"}, 404),
    "an unknown transaction": ("POST", "transactions/nothing/close", None, 404),
    "an unknown record": ("POST", "cdrs/nothing/release", {}, 404),
    "a discard without a reason": ("POST", "cdrs/nothing/discard", {}, 422),
    "an unknown delivery": ("POST", "deliveries/987654321/retry", None, 404),
    "an absurd page": ("GET", "locations?limit=100000", None, 422),
    "a negative page": ("GET", "locations?offset=-1", None, 422),
    "a path that is none": ("GET", "nothing", None, 404),
    "a method that is none": ("PATCH", "locations", {}, 405),
    "a list as body": ("PUT", "tariffs/X", [], 422),
    "broken JSON": ("PUT", "tariffs/X", b'{"currency":', 400),
    "NaN": ("PUT", "tariffs/X", b'{"currency":NaN}', 400),
    "100 000 nested arrays": ("PUT", "tariffs/X", b"[" * 100_000 + b"]" * 100_000, 422),
    "half a character": ("PUT", "tariffs/X", b'{"currency":"\\ud800"}', 422),
}  # fmt: skip


async def test_a_bad_request_is_a_problem_that_says_what_is_wrong_and_changes_nothing(house):
    before = await stored(house)
    told = {}
    for what, (method, path, body, _) in REFUSED.items():
        given = {"content": body} if isinstance(body, bytes) else {} if body is None else {"json": body}
        answer = await house.admin.ask(method, path, **given)
        told[what] = answer.status_code
        problem = answer.json()
        assert answer.headers["Content-Type"] == "application/problem+json", what
        assert (problem["status"], bool(problem["title"])) == (answer.status_code, True), what
        assert problem["detail"], what
    assert told == {what: status for what, (_, _, _, status) in REFUSED.items()}
    assert await stored(house) == before


@pytest.mark.parametrize("token", [None, "Bearer", "Bearer wrong", "Token operators-token"])
async def test_without_the_operators_token_nothing_is_shown_or_done(house, token):
    before = await stored(house)
    headers = {} if token is None else {"Authorization": token}
    async with httpx.AsyncClient(base_url=house.url, headers=headers, trust_env=False) as stranger:
        for method, path in (
            ("GET", "stations"),
            ("PUT", "tariffs/X"),
            ("POST", "partners"),
            ("GET", "nothing"),
        ):
            answer = await stranger.request(method, f"/admin/v1/{path}", json=tariff())
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert await stored(house) == before


async def test_calls_that_break_the_schema_are_never_sent(house):
    where = await set_up(house)
    answer = await house.admin.ask("POST", f"stations/{where.station}/ocpp/Reset", json={"type": "Soft"})
    assert answer.status_code == 409
    async with connected(house, where.station) as station:
        for action, payload, status in (
            ("Reset", {"type": "Gently"}, 422),
            ("Reset", {}, 422),
            ("ChangeAvailability", {"connectorId": "one", "type": "Operative"}, 422),
            ("GetConfiguration", [], 422),
            ("Teleport", {}, 404),
        ):
            answer = await house.admin.ask("POST", f"stations/{where.station}/ocpp/{action}", json=payload)
            assert (action, answer.status_code) == (action, status), answer.text
        assert station.heard == []
    assert await house.admin.frames(where.station) == []


async def test_two_stations_cannot_be_the_same_socket(house):
    where = await set_up(house)
    link = {"evse": 1, "connector": 1, "evse_uid": where.evse(), "connector_id": "1"}
    answer = await house.admin.ask(
        "PUT", f"stations/{where.station}B", json={"location_id": where.location, "connectors": [link]}
    )
    assert answer.status_code == 422
    assert where.station in answer.text
    assert (await house.admin.ask("GET", f"stations/{where.station}B")).status_code == 404


async def test_a_published_evse_without_its_id_is_named(house):
    where = await set_up(house)
    nameless = {"uid": f"X{fresh()}", "connectors": [connector(where.tariff)]}
    answer = await house.admin.ask(
        "PUT", f"locations/X{fresh()}", json=location(fresh(), where.tariff) | {"evses": [nameless]}
    )
    assert answer.status_code == 422
    assert "evse_id" in answer.json()["field"]
