"""Which app answers which path: partners' app before everything else."""

import contextlib
from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from ocpi.server.router import partners_first


async def ocpi(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse(f"ocpi {scope['path'].removeprefix(scope['root_path'])}")(scope, receive, send)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/ocpi/cpo/versions", "ocpi /cpo/versions"),
        ("/ocpi/", "ocpi /"),
        ("/ocpi", "ocpi "),
        ("/ocpix", "rest"),
        ("/", "rest"),
        ("/admin/ocpi/x", "rest"),
    ],
)
def test_what_begins_with_ocpi_is_for_partners(path: str, said: str) -> None:
    started = []

    async def rest(_request: object) -> PlainTextResponse:
        return PlainTextResponse("rest")

    @contextlib.asynccontextmanager
    async def lifespan(_app: object) -> AsyncIterator[None]:
        started.append(True)
        yield

    others = Starlette(routes=[Route("/{path:path}", rest)], lifespan=lifespan)
    with TestClient(partners_first(ocpi, others)) as client:
        assert client.get(path, follow_redirects=False).text == said
    assert started == [True]
