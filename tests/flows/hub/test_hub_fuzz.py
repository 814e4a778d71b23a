"""Whatever headers, paths and bodies come: no message reaches a party that it was not for, and all get an envelope."""

import json
from typing import Any, NamedTuple
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ocpi.headers import authorization
from ocpi.modules import ModuleId
from tests.flows.hub_party import NOW, Got, HubParty, ok
from tests.flows.hub_world import BASE, HUB, World

AGREED = {
    frozenset(pair)
    for pair in (("NL-AAA", "DE-EMS"), ("BE-BBB", "DE-EMS"), ("NL-AAA", "FR-FFF"), ("NL-VBR", "DE-EMS"))
}
PARTIES = ["NL-AAA", "BE-BBB", "DE-EMS", "FR-FFF", "NL-VBR", HUB, "nl-aaa", "De-eMs", "ZZ-ZZZ"]
ODD = st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=4)
CODES = st.sampled_from(["NL", "BE", "DE", "FR", "de"]) | ODD
IDS = st.sampled_from(["AAA", "BBB", "EMS", "FFF", "VHB", "ems"]) | ODD
NAMES = st.sampled_from(["LOC1", "S1", "04AA", "authorize", "charging_preferences", "START_SESSION", "_x"])
SEGMENT = CODES | IDS | NAMES | st.sampled_from(["..", ".", "a/b", "\\", "%2e%2e"]) | st.text(max_size=5)
TOKEN = st.fixed_dictionaries({"country_code": CODES, "party_id": IDS, "uid": NAMES})
OBJECT = st.fixed_dictionaries(
    {"last_updated": st.just(NOW)},
    optional={
        "country_code": CODES, "party_id": IDS, "id": NAMES, "uid": NAMES, "cdr_token": TOKEN, "token": TOKEN,
        "location_id": NAMES, "session_id": NAMES, "reservation_id": NAMES, "response_url": st.just("http://127.0.0.1:1/x"),
    },
)  # fmt: skip
BODY = OBJECT.map(lambda each: json.dumps(each).encode()) | st.binary(max_size=20) | st.just(b"")


class Sent(NamedTuple):
    """A message as somebody sends it: `who` is the number of the sender, `named` its routing headers."""

    who: int
    method: str
    side: str
    module: str
    path: list[str]
    query: str
    named: list[tuple[str, str]]
    body: bytes

    @property
    def to(self) -> str | None:
        """The party of the OCPI-to headers, of repeated ones the first; None where there is none."""
        first: dict[str, str] = {}
        for name, value in self.named:
            first.setdefault(name.lower(), value.strip())
        country, party = first.get("ocpi-to-country-code"), first.get("ocpi-to-party-id")
        return f"{country}-{party}".upper() if country and party else None


@st.composite
def pushes_of_ones_own(draw: st.DrawFn) -> tuple[str, list[str]]:
    """Paths as the specification has them: without these nearly everything would be refused at the door."""
    module = draw(st.sampled_from(["locations", "tariffs", "tokens", "sessions"]))
    country, party = draw(st.sampled_from(["NL-AAA", "BE-BBB", "DE-EMS", "FR-FFF"])).split("-")
    return module, [country, party, draw(NAMES)]


@st.composite
def header(draw: st.DrawFn, word: str) -> list[tuple[str, str]]:
    kind = draw(st.sampled_from(["none", "party", "party", "odd", "twice"]))
    if kind == "none":
        return []
    names = (f"OCPI-{word}-country-code", f"OCPI-{word}-party-id")
    if kind == "odd":
        return list(zip(names, (draw(CODES), draw(IDS)), strict=True))[: draw(st.integers(0, 2))]
    found = list(zip(names, draw(st.sampled_from(PARTIES)).split("-"), strict=True))
    if kind == "twice":
        found += zip(names, draw(st.sampled_from(PARTIES)).split("-"), strict=True)
    return found


@st.composite
def messages(draw: st.DrawFn) -> Sent:
    if draw(st.booleans()):
        module, path = draw(pushes_of_ones_own())
        side, method = "receiver", draw(st.sampled_from(["PUT", "PATCH", "GET", "DELETE"]))
    else:
        module = draw(st.sampled_from(list(ModuleId)))
        path, side = draw(st.lists(SEGMENT, max_size=4)), draw(st.sampled_from(["sender", "receiver"]))
        method = draw(st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"]))
    query = draw(
        st.sampled_from(["", "?type=RFID", "?limit=1", "?response_url=http%3A%2F%2F127.0.0.1%3A1%2F"])
    )
    named = draw(header("to")) + draw(header("from"))
    return Sent(draw(st.integers(0, 3)), method, side, module, path, query, named, draw(BODY))


async def send(world: World, sent: Sent) -> None:
    """Send it, and judge who got what of it."""
    caller = world.parties[sent.who]
    base = world.house.desk.version_url("hub", "2.2.1")  # type: ignore[arg-type]
    path = "/".join([base, sent.side, sent.module, *(quote(each, safe="%") for each in sent.path)])
    own = [("Authorization", authorization(caller.registration.peer().token))]
    headers = [
        (name.encode(), value.encode("latin-1"))
        for name, value in [*own, *sent.named, ("Content-Type", "application/json")]
    ]
    answer = await caller.http.request(sent.method, path + sent.query, headers=headers, content=sent.body)
    assert answer.status_code < 500, sent
    assert isinstance(answer.json()["status_code"], int), sent
    await world.settled()
    for party in world.parties:
        for got in party.got:
            judge(sent, caller, party, got)


def judge(sent: Sent, caller: HubParty, receiver: HubParty, got: Got) -> None:
    """What reached a receiver had to reach it."""
    told = (sent, receiver.name, got)
    assert receiver is not caller, told
    assert got.to.upper() == receiver.name, told
    assert frozenset((caller.name, receiver.name)) in AGREED, told
    assert got.path.startswith(f"{BASE}/{sent.side}/{sent.module}"), told
    assert not got.path.endswith(("credentials", "hubclientinfo")), told
    if sent.to is not None and sent.to != HUB:
        assert sent.to == receiver.name, told
    if got.sender == HUB:
        owner = "-".join(got.path.removeprefix(f"{BASE}/receiver/{sent.module}/").split("/")[:2])
        assert (owner.upper(), sent.to in (None, HUB)) == (caller.name, True), told
        return
    assert got.sender.upper() == caller.name, told
    body = sent.body if sent.method in ("POST", "PUT", "PATCH") else b""
    assert got.raw == body or b"response_url" in body, told
    if sent.module == "cdrs" and sent.to is None:
        token: dict[str, Any] = got.body["cdr_token"]
        assert f"{token['country_code']}-{token['party_id']}".upper() == receiver.name, told


def agreeable(got: Got) -> Any:
    """Receivers take all they are sent, so that nothing is stopped by them."""
    return ok({"result": "ACCEPTED", "timeout": 1, "allowed": "ALLOWED"} if got.method == "POST" else None)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(sent=messages())
async def test_no_message_reaches_a_party_that_it_was_not_for(world: World, sent: Sent) -> None:
    for party in world.parties:
        party.answers = agreeable
        party.got.clear()
    await send(world, sent)
