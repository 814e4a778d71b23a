"""The simulated eMSP: registered both ways with another one of its kind, pushed to, pulled from, misbehaving."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web

from ocpi.client import Answer, PartnerClient, Peer, open_client
from ocpi.envelope import data_of, require_success
from ocpi.errors import (
    CannotUseClientApiError,
    MethodNotAllowedError,
    MissingEndpointsError,
    PartnerFailure,
    PartnerNonsense,
    PartnerRefused,
    PartnerUnreachable,
    Unreachable,
)
from ocpi.headers import RoutedParty, Routing
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.simulator import EmspSimulator, Fault, FaultKind
from ocpi.simulator.registration import Connection
from ocpi.wire.credentials import CredentialsRole
from ocpi.wire.tokens import AllowedType, Token
from ocpi.wire.types import BusinessDetails, Role
from ocpi.wire.versions import VersionDetails

Build = Callable[..., dict[str, Any]]
LATER = "2026-03-01T10:05:00Z"
ROUTING = Routing(to=RoutedParty("DE", "EMS"), sender=RoutedParty("NL", "VBR"))


@pytest.fixture
async def client() -> AsyncIterator[PartnerClient]:
    async with open_client() as opened:
        yield opened


@pytest.fixture
async def emsp(wire_object: Build) -> AsyncIterator[EmspSimulator]:
    tokens = [
        Token.read(wire_object("token")),
        Token.read(wire_object("token", uid="BLOCKED-1", valid=False)),
    ]
    async with EmspSimulator(tokens=tokens, token_a="token-a").running() as running:
        yield running


class Cpo:
    """The other side, with as much as a test needs to push."""

    def __init__(self, emsp: EmspSimulator, client: PartnerClient) -> None:
        self.base = f"{emsp.base_url}/ocpi/2.2.1"
        self.client = client
        role = CredentialsRole(
            role=Role.CPO, country_code="NL", party_id="VBR", business_details=BusinessDetails(name="V")
        )
        endpoints = VersionDetails.read(
            {"version": "2.2.1", "endpoints": [{"identifier": "credentials", "url": "http://127.0.0.1:1/"}]}
        )
        emsp.registration.load(
            {
                "accepted": ["token-c"],
                "invitation": None,
                "connection": {
                    "token": "unused",
                    "roles": [role.to_wire()],
                    "endpoints": endpoints.to_wire(),
                },
            }
        )

    async def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str = "token-c",
        routing: Routing | None = ROUTING,
        seconds: float = 30,
    ) -> Answer:
        return await self.client.send(
            method,
            self.base + path,
            Peer(token=token, name="the eMSP", allow_private=True),
            body=None if body is None else json.dumps(body).encode(),
            routing=routing,
            seconds=seconds,
        )


@pytest.fixture
def cpo(emsp: EmspSimulator, client: PartnerClient) -> Cpo:
    return Cpo(emsp, client)


class TestRegistering:
    """Two simulators play both ends of the handshake."""

    @pytest.fixture
    async def other(self) -> AsyncIterator[EmspSimulator]:
        async with EmspSimulator(country_code="NL", party_id="OTH", name="Other").running() as running:
            yield running

    async def test_a_handshake_connects_both_sides(self, emsp: EmspSimulator, other: EmspSimulator) -> None:
        await other.register(emsp.versions_url, "token-a")
        assert emsp.registration.connection is not None
        assert emsp.registration.connection.speaks_for("nl", "oth")
        url = other.registration.url_of(ModuleId.TOKENS, InterfaceRole.SENDER)
        assert url == f"{emsp.base_url}/ocpi/2.2.1/sender/tokens"
        assert [each["uid"] for each in await other.pull(ModuleId.TOKENS, limit=1)] == [
            "04A2B3C4D5E680",
            "BLOCKED-1",
        ]
        assert await emsp.pull(ModuleId.TOKENS) == []

    async def test_the_invitation_is_used_up(self, emsp: EmspSimulator, other: EmspSimulator) -> None:
        await other.register(emsp.versions_url, "token-a")
        with pytest.raises(PartnerRefused) as refused:
            await other.register(emsp.versions_url, "token-a")
        assert refused.value.http_status == 401

    async def test_a_wrong_invitation_changes_nothing(
        self, emsp: EmspSimulator, other: EmspSimulator
    ) -> None:
        with pytest.raises(PartnerRefused):
            await other.register(emsp.versions_url, "guess")
        assert other.registration.connection is emsp.registration.connection is None

    async def test_a_handshake_that_fails_can_be_repeated(
        self, emsp: EmspSimulator, other: EmspSimulator
    ) -> None:
        other.faults.next(FaultKind.HTTP_500, module="versions")
        with pytest.raises(PartnerRefused) as refused:
            await other.register(emsp.versions_url, "token-a")
        assert refused.value.status_code == CannotUseClientApiError.default_status_code
        assert emsp.registration.connection is None
        await other.register(emsp.versions_url, "token-a")

    async def test_rotation_replaces_both_tokens(self, emsp: EmspSimulator, other: EmspSimulator) -> None:
        await other.register(emsp.versions_url, "token-a")
        before = (other.registration.peer().token, emsp.registration.peer().token)
        await other.registration.rotate()
        after = (other.registration.peer().token, emsp.registration.peer().token)
        assert len({*before, *after}) == 4
        assert await other.pull(ModuleId.TOKENS)
        assert await emsp.pull(ModuleId.TOKENS) == []

    async def test_unregistering_ends_it_on_both_sides(
        self, emsp: EmspSimulator, other: EmspSimulator
    ) -> None:
        changes: list[str] = []
        other.registration.on_change = lambda: changes.append("other")
        emsp.registration.on_change = lambda: changes.append("emsp")
        await other.register(emsp.versions_url, "token-a")
        await other.registration.unregister()
        assert other.registration.connection is emsp.registration.connection is None
        assert changes == ["emsp", "other", "emsp", "other"]
        with pytest.raises(MethodNotAllowedError):
            await other.registration.rotate()

    async def test_a_registration_survives_a_restart(self, emsp: EmspSimulator, other: EmspSimulator) -> None:
        await other.register(emsp.versions_url, "token-a")
        kept = json.loads(json.dumps(other.registration.dump()))
        async with EmspSimulator(country_code="NL", party_id="OTH", name="Other").running() as again:
            again.registration.load(kept)
            assert isinstance(again.registration.connection, Connection)
            assert len(await again.pull(ModuleId.TOKENS)) == 2

    async def test_credentials_in_the_wrong_state_are_405(
        self, emsp: EmspSimulator, client: PartnerClient
    ) -> None:
        peer = Peer(token="token-a", name="x", allow_private=True)
        for method in ("PUT", "DELETE"):
            url = f"{emsp.base_url}/ocpi/2.2.1/credentials"
            answer = await client.send(method, url, peer, body=b"{}")
            assert (answer.http_status, answer.status_code) == (405, 2000)
        shown = await client.send("GET", f"{emsp.base_url}/ocpi/2.2.1/credentials", peer)
        assert data_of(shown)["token"] == "token-a"


class TestReceiving:
    """What is pushed is checked and kept."""

    @pytest.mark.parametrize(
        ("kind", "object_id"), [("locations", "quay-77"), ("sessions", "S-1001"), ("tariffs", "AC-DAY")]
    )
    async def test_objects_are_kept(
        self, emsp: EmspSimulator, cpo: Cpo, wire_object: Build, kind: str, object_id: str
    ) -> None:
        sent = wire_object(kind[:-1])
        path = f"/receiver/{kind}/NL/VBR/{object_id}"
        assert (await cpo.send("PUT", path, sent)).http_status == 201
        assert (await cpo.send("PUT", path, sent)).http_status == 200
        assert emsp.ledger.of(kind)[object_id].to_wire() == sent
        assert data_of(await cpo.send("GET", path)) == sent
        assert [(each.method, each.problem) for each in emsp.ledger.messages] == [("PUT", None)] * 2
        assert emsp.ledger.rejected == 0

    async def test_parts_of_a_location(self, emsp: EmspSimulator, cpo: Cpo, wire_object: Build) -> None:
        path = "/receiver/locations/NL/VBR/quay-77"
        assert (await cpo.send("PUT", path + "/E-77-1", wire_object("evse"))).http_status == 404
        await cpo.send("PUT", path, wire_object("location"))
        patch = {"status": "CHARGING", "last_updated": LATER}
        require_success(await cpo.send("PATCH", path + "/E-77-1", patch))
        evse = emsp.ledger.locations["quay-77"].evses[0]
        assert (evse.status, evse.to_wire()["last_updated"]) == ("CHARGING", LATER)
        assert emsp.ledger.locations["quay-77"].to_wire()["last_updated"] == LATER
        assert (await cpo.send("PUT", path + "/E-77-2", wire_object("evse", uid="E-77-2"))).http_status == 201
        cable = wire_object("connector", id="2", format="CABLE", last_updated="2026-03-01T11:00:00Z")
        require_success(await cpo.send("PUT", path + "/E-77-1/2", cable))
        assert data_of(await cpo.send("GET", path + "/E-77-1/2")) == cable
        assert emsp.ledger.locations["quay-77"].to_wire()["last_updated"] == "2026-03-01T11:00:00Z"
        assert (await cpo.send("PATCH", path + "/E-77-9", patch)).http_status == 404

    async def test_a_patched_session_grows(self, emsp: EmspSimulator, cpo: Cpo, wire_object: Build) -> None:
        path = "/receiver/sessions/NL/VBR/S-1001"
        assert (await cpo.send("PATCH", path, {"kwh": 1, "last_updated": LATER})).http_status == 404
        await cpo.send("PUT", path, wire_object("session"))
        require_success(await cpo.send("PATCH", path, {"kwh": 3, "last_updated": LATER}))
        assert emsp.ledger.sessions["S-1001"].kwh == 3
        assert (await cpo.send("PATCH", path, {"kwh": 4})).status_code == 2001

    async def test_a_cdr_is_taken_once(self, emsp: EmspSimulator, cpo: Cpo, wire_object: Build) -> None:
        first = await cpo.send("POST", "/receiver/cdrs", wire_object("cdr"))
        again = await cpo.send("POST", "/receiver/cdrs", wire_object("cdr"))
        other = await cpo.send("POST", "/receiver/cdrs", wire_object("cdr", total_energy=8))
        assert (first.http_status, again.http_status, other.status_code) == (201, 200, 2001)
        assert first.headers["Location"] == again.headers["location"] == f"{cpo.base}/receiver/cdrs/C-1001"
        assert data_of(await cpo.send("GET", "/receiver/cdrs/C-1001")) == wire_object("cdr")
        assert list(emsp.ledger.cdrs) == ["C-1001"]

    async def test_a_cdr_of_a_stranger_is_not_kept(
        self, emsp: EmspSimulator, cpo: Cpo, wire_object: Build
    ) -> None:
        assert (
            await cpo.send("POST", "/receiver/cdrs", wire_object("cdr", party_id="XXX"))
        ).http_status == 404
        assert emsp.ledger.cdrs == {}

    async def test_a_tariff_is_deleted(self, emsp: EmspSimulator, cpo: Cpo, wire_object: Build) -> None:
        path = "/receiver/tariffs/NL/VBR/AC-DAY"
        await cpo.send("PUT", path, wire_object("tariff"))
        require_success(await cpo.send("DELETE", path))
        assert emsp.ledger.tariffs == {}
        assert (await cpo.send("DELETE", path)).http_status == 404
        assert (await cpo.send("PATCH", path, {"last_updated": LATER})).http_status == 405

    @pytest.mark.parametrize(
        ("path", "changes", "http_status", "status_code"),
        [
            ("/NL/VBR/S-1001", {"kwh": "much"}, 200, 2001),
            ("/NL/VBR/S-1001", {"status": "RESERVED"}, 200, 2001),
            ("/NL/VBR/S-1002", {}, 200, 2001),
            ("/NL/VBR/S-1001", {"party_id": "XXX"}, 200, 2001),
            ("/NL/XXX/S-1001", {"party_id": "XXX"}, 404, 2000),
            ("/NL/VBR", {}, 404, 2000),
            ("/NL/VBR/S-1001/part", {}, 404, 2000),
        ],
    )
    async def test_wrong_objects_are_refused_and_counted(
        self, emsp: EmspSimulator, cpo: Cpo, wire_object: Build, path: str, changes: dict[str, Any],
        http_status: int, status_code: int,
    ) -> None:  # fmt: skip
        answer = await cpo.send("PUT", "/receiver/sessions" + path, wire_object("session", **changes))
        assert (answer.http_status, answer.status_code) == (http_status, status_code)
        assert emsp.ledger.sessions == {}
        assert emsp.ledger.rejected == len(emsp.ledger.messages)

    @pytest.mark.parametrize(
        "routing",
        [
            None,
            Routing(to=RoutedParty("DE", "EMS")),
            Routing(to=RoutedParty("DE", "XXX"), sender=RoutedParty("NL", "VBR")),
            Routing(to=RoutedParty("DE", "EMS"), sender=RoutedParty("NL", "XXX")),
        ],
    )
    async def test_wrong_routing_is_refused(
        self, emsp: EmspSimulator, cpo: Cpo, wire_object: Build, routing: Routing | None
    ) -> None:
        answer = await cpo.send(
            "PUT", "/receiver/tariffs/NL/VBR/AC-DAY", wire_object("tariff"), routing=routing
        )
        assert answer.status_code == 2001
        assert emsp.ledger.rejected == 1

    async def test_answers_echo_ids_and_swap_routing(self, cpo: Cpo, wire_object: Build) -> None:
        answer = await cpo.send("PUT", "/receiver/tariffs/NL/VBR/AC-DAY", wire_object("tariff"))
        assert answer.headers["X-Request-ID"]
        assert answer.headers["X-Correlation-ID"]
        assert (answer.headers["OCPI-to-party-id"], answer.headers["OCPI-from-party-id"]) == ("VBR", "EMS")

    @pytest.mark.parametrize("path", ["/receiver/sessions/NL/VBR/S-1", "/sender/tokens", "/credentials"])
    async def test_a_wrong_token_is_401(self, cpo: Cpo, path: str) -> None:
        assert (await cpo.send("GET", path, token="wrong")).http_status == 401

    async def test_paths_and_methods_that_do_not_exist(self, cpo: Cpo) -> None:
        assert (await cpo.send("GET", "/receiver/nothing/NL/VBR/x")).http_status == 404
        assert (await cpo.send("GET", "/nothing")).status_code == 2000
        assert (await cpo.send("DELETE", "/sender/tokens")).http_status == 405

    async def test_a_person_can_look(self, cpo: Cpo, emsp: EmspSimulator, wire_object: Build) -> None:
        await cpo.send("PUT", "/receiver/tariffs/NL/VBR/AC-DAY", wire_object("tariff"))
        answer = await cpo.client.send(
            "GET", f"{emsp.base_url}/received/tariffs", Peer(token="none", name="x", allow_private=True)
        )
        shown = data_of(answer)
        assert [each["id"] for each in shown["objects"]] == ["AC-DAY"]
        assert shown["messages"][0]["body"]["id"] == "AC-DAY"


class TestAuthorizing:
    """Real-time authorization."""

    async def test_verdicts(self, emsp: EmspSimulator, cpo: Cpo) -> None:
        place = {"location_id": "quay-77", "evse_uids": ["E-77-1"]}
        good = data_of(await cpo.send("POST", "/sender/tokens/04a2b3c4d5e680/authorize", place))
        assert (good["allowed"], good["location"], good["authorization_reference"]) == (
            "ALLOWED",
            place,
            "EMS-1",
        )
        bad = data_of(await cpo.send("POST", "/sender/tokens/BLOCKED-1/authorize?type=RFID"))
        assert (bad["allowed"], "location" in bad) == ("BLOCKED", False)
        emsp.verdicts["04A2B3C4D5E680"] = AllowedType.NO_CREDIT
        assert (
            data_of(await cpo.send("POST", "/sender/tokens/04A2B3C4D5E680/authorize"))["allowed"]
            == "NO_CREDIT"
        )
        assert emsp.asked == ["04a2b3c4d5e680", "BLOCKED-1", "04A2B3C4D5E680"]

    @pytest.mark.parametrize("path", ["nobody/authorize", "04A2B3C4D5E680/authorize?type=APP_USER"])
    async def test_an_unknown_token(self, cpo: Cpo, path: str) -> None:
        answer = await cpo.send("POST", f"/sender/tokens/{path}")
        assert (answer.http_status, answer.status_code) == (404, 2004)


class TestMisbehaving:
    """Each fault looks to the caller as it should, and does or does not leave something behind."""

    @pytest.mark.parametrize(
        ("kind", "http_status", "status_code"),
        [
            (FaultKind.HTTP_500, 500, None),
            (FaultKind.HTTP_503, 503, None),
            (FaultKind.HTTP_429, 429, None),
            (FaultKind.HTTP_401, 401, 2000),
            (FaultKind.HTTP_404, 404, 2000),
            (FaultKind.OCPI_2001, 200, 2001),
            (FaultKind.OCPI_3000, 200, 3000),
        ],
    )
    async def test_refusals(
        self, emsp: EmspSimulator, cpo: Cpo, wire_object: Build, kind: FaultKind, http_status: int,
        status_code: int | None,
    ) -> None:  # fmt: skip
        emsp.faults.next(kind)
        answer = await cpo.send("POST", "/receiver/cdrs", wire_object("cdr"))
        assert (answer.http_status, answer.status_code) == (http_status, status_code)
        assert emsp.ledger.cdrs == {}
        assert (await cpo.send("POST", "/receiver/cdrs", wire_object("cdr"))).http_status == 201

    @pytest.mark.parametrize(
        ("kind", "what"),
        [
            (FaultKind.HTML_200, "html"),
            (FaultKind.EMPTY_200, "empty"),
            (FaultKind.BAD_JSON, "not_json"),
            (FaultKind.NO_ENVELOPE, "no_envelope"),
            (FaultKind.REDIRECT, "redirect"),
            (FaultKind.HUGE_BODY, "too_large"),
        ],
    )
    async def test_nonsense(
        self, emsp: EmspSimulator, cpo: Cpo, wire_object: Build, kind: FaultKind, what: str
    ) -> None:
        emsp.faults.always(kind, module="cdrs")
        for _ in range(2):
            with pytest.raises(PartnerNonsense) as failed:
                await cpo.send("POST", "/receiver/cdrs", wire_object("cdr"))
            assert failed.value.kind == what
        assert emsp.ledger.cdrs == {}
        require_success(await cpo.send("PUT", "/receiver/tariffs/NL/VBR/AC-DAY", wire_object("tariff")))
        emsp.faults.heal()
        assert (await cpo.send("POST", "/receiver/cdrs", wire_object("cdr"))).http_status == 201

    @pytest.mark.parametrize(
        ("fault", "kind", "stored"),
        [
            (Fault(FaultKind.RESET_BEFORE), Unreachable.RESET, 0),
            (Fault(FaultKind.RESET_AFTER_STORE), Unreachable.RESET, 1),
            (Fault(FaultKind.SLOW, 0.8), Unreachable.TIMEOUT, 0),
            (Fault(FaultKind.DRIP, 0.8), Unreachable.TIMEOUT, 0),
        ],
    )
    async def test_no_answer(
        self, emsp: EmspSimulator, cpo: Cpo, wire_object: Build, fault: Fault, kind: Unreachable, stored: int
    ) -> None:
        emsp.faults.next(fault)
        with pytest.raises(PartnerUnreachable) as failed:
            await cpo.send("POST", "/receiver/cdrs", wire_object("cdr"), seconds=0.4)
        assert failed.value.kind is kind
        assert len(emsp.ledger.cdrs) == stored

    async def test_slow_is_slow_and_good(self, emsp: EmspSimulator, cpo: Cpo, wire_object: Build) -> None:
        emsp.faults.next(Fault(FaultKind.SLOW, 0.2), FaultKind.OK)
        answer = await cpo.send("POST", "/receiver/cdrs", wire_object("cdr"))
        assert answer.http_status == 201
        assert answer.duration >= 0.2

    async def test_being_down_and_back(self, emsp: EmspSimulator, cpo: Cpo, wire_object: Build) -> None:
        await emsp.stop()
        with pytest.raises(PartnerFailure):
            await cpo.send("POST", "/receiver/cdrs", wire_object("cdr"))
        await emsp.start()
        assert (await cpo.send("POST", "/receiver/cdrs", wire_object("cdr"))).http_status == 201
        await emsp.wait_until(lambda: emsp.ledger.cdrs, seconds=1)
        with pytest.raises(TimeoutError):
            await emsp.wait_until(lambda: False, seconds=0.05)


class TestPushingTokens:
    """Tokens reach a CPO that receives them."""

    @pytest.fixture
    async def taken(self, emsp: EmspSimulator, cpo: Cpo) -> AsyncIterator[list[tuple[str, Any, str]]]:
        """What a CPO's tokens interface was sent: path with query, body, party the message is for."""
        seen: list[tuple[str, Any, str]] = []

        async def handler(request: web.Request) -> web.Response:
            seen.append((request.path_qs, await request.json(), request.headers["OCPI-to-party-id"]))
            return web.json_response({"status_code": 2000 if len(seen) == 1 else 1000})

        app = web.Application()
        app.router.add_put("/tokens/{path:.*}", handler)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/tokens/"
        kept = emsp.registration.dump()
        kept["connection"]["endpoints"]["endpoints"] = [
            {"identifier": "tokens", "role": "RECEIVER", "url": url}
        ]
        emsp.registration.load(kept)
        yield seen
        await runner.cleanup()

    async def test_a_refused_token_is_told(
        self, emsp: EmspSimulator, taken: list[tuple[str, Any, str]]
    ) -> None:
        with pytest.raises(PartnerRefused):
            await emsp.push_token(emsp.tokens[0])
        await emsp.push_token(emsp.tokens[0])
        assert taken == [("/tokens/DE/EMS/04A2B3C4D5E680?type=RFID", emsp.tokens[0].to_wire(), "VBR")] * 2

    async def test_tokens_introduce_themselves_and_try_again(
        self, emsp: EmspSimulator, taken: list[tuple[str, Any, str]]
    ) -> None:
        emsp.introduce_tokens_soon()
        await emsp.wait_until(lambda: len(taken) == 3, seconds=3)
        assert [body["uid"] for _, body, _ in taken] == ["04A2B3C4D5E680", "04A2B3C4D5E680", "BLOCKED-1"]

    async def test_nobody_to_push_to(self, emsp: EmspSimulator, cpo: Cpo) -> None:
        with pytest.raises(MissingEndpointsError):
            await emsp.push_token(emsp.tokens[0])
        with pytest.raises(MissingEndpointsError):
            await emsp.pull(ModuleId.LOCATIONS)
