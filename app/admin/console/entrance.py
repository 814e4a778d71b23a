"""The door of the console: signing in and out, and nothing behind it for anyone who has not."""

import re
from collections.abc import Callable
from html import escape
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.admin.console.passes import LIFETIME, Attempts, Passes

STATIC = Path(__file__).parent / "static"
ASSETS = "/_console"
SIGN_IN, SIGN_OUT = "/sign-in", "/sign-out"

_LONGEST_FORM = 4096
_FOR_GOOD = re.compile(r"/_nicegui/[0-9.]+/(?!dynamic_resources/)|/_console/console\.(?:css|js)$")
"""Files whose address changes with what is in them."""
_HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"same-origin",
}


class Entrance:
    """ASGI middleware around the pages. `mine` tells which paths are pages or part of one.

    A socket is let in like a page, and only from a page of this very origin, so that no other site can act
    in the name of whoever is signed in; the cookie is not sent across sites either.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        passes: Passes,
        attempts: Attempts,
        token_ok: Callable[[str], bool],
        mine: Callable[[str], bool],
        cookie: str,
        secure: bool,
        tiles: str | None = None,
    ) -> None:
        self._app = app
        self._passes = passes
        self._attempts = attempts
        self._token_ok = token_ok
        self._mine = mine
        self._cookie = cookie
        self._secure = secure
        self._assets = StaticFiles(directory=STATIC)
        self._headers = {**_HEADERS, b"content-security-policy": _policy(tiles).encode()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        elif scope["type"] == "http":
            await self._page(scope, receive, self._with_headers(scope["path"], send))
        else:
            await self._app(scope, receive, send)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._signed_in(scope) is None or not _same_origin(Headers(scope=scope)):
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        await self._app(scope, receive, send)

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path.startswith(ASSETS + "/"):
            await self._asset(scope, receive, send)
            return
        if path in (SIGN_IN, SIGN_OUT):
            response = await self._sign(Request(scope, receive))
            await response(scope, receive, send)
            return
        if not self._mine(path):
            await _missing()(scope, receive, send)
            return
        given = self._signed_in(scope)
        if given is None:
            await _to_sign_in(scope)(scope, receive, send)
            return
        if scope["method"] not in ("GET", "HEAD") and not _same_origin(Headers(scope=scope)):
            await Response("not from this site", 403)(scope, receive, send)
            return
        await self._app(scope, receive, self._renewing(given, send))

    async def _asset(self, scope: Scope, receive: Receive, send: Send) -> None:
        inner = {**scope, "path": scope["path"].removeprefix(ASSETS), "root_path": ""}
        try:
            await self._assets(inner, receive, send)
        except HTTPException:
            await _missing()(scope, receive, send)

    def _signed_in(self, scope: Scope) -> str | None:
        try:
            morsel = SimpleCookie(Headers(scope=scope).get("cookie", "")).get(self._cookie)
        except CookieError:
            return None
        return morsel.value if morsel is not None and self._passes.good(morsel.value) else None

    async def _sign(self, request: Request) -> Response:
        if request.method == "POST":
            if not _same_origin(request.headers):
                return Response("not from this site", 403)
            return self._out(request) if request.url.path == SIGN_OUT else await self._in(request)
        if request.url.path == SIGN_OUT:
            return RedirectResponse("/", 303)
        if self._signed_in(request.scope) is not None:
            return RedirectResponse(_inside(request.query_params.get("to", "")), 303)
        return sign_in_page(_inside(request.query_params.get("to", "")))

    async def _in(self, request: Request) -> Response:
        address = request.client.host if request.client else ""
        form = parse_qs((await _body(request)).decode("utf-8", "replace"))
        to = _inside(form.get("to", [""])[0])
        wait = self._attempts.wait(address)
        if wait:
            page = sign_in_page(to, f"Too many wrong tokens. Try again in {wait:.0f} seconds.", status=429)
            page.headers["retry-after"] = f"{wait:.0f}"
            return page
        if not self._token_ok(form.get("token", [""])[0].strip()):
            self._attempts.wrong(address)
            return sign_in_page(to, "That is not the admin token of this server.", status=403)
        self._attempts.right(address)
        response = RedirectResponse(to, 303)
        response.headers["set-cookie"] = self._cookie_with(self._passes.issue())
        return response

    def _out(self, request: Request) -> Response:
        given = self._signed_in(request.scope)
        if given is not None:
            self._passes.end(given)
        response = RedirectResponse(SIGN_IN, 303)
        response.headers["set-cookie"] = self._cookie_with("", 0)
        return response

    def _cookie_with(self, value: str, seconds: float = LIFETIME.total_seconds()) -> str:
        secure = "; Secure" if self._secure else ""
        return f"{self._cookie}={value}; Path=/; Max-Age={seconds:.0f}; HttpOnly; SameSite=Lax{secure}"

    def _renewing(self, given: str, send: Send) -> Send:
        """A pass whose time is half over is replaced by the way, so that nobody is thrown out while at work."""
        if not self._passes.stale(given):
            return send
        cookie = (b"set-cookie", self._cookie_with(self._passes.issue()).encode())

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], cookie]
            await send(message)

        return sending

    def _with_headers(self, path: str, send: Send) -> Send:
        more = [*self._headers.items()]
        if _FOR_GOOD.match(path):
            more.append((b"cache-control", b"public, max-age=31536000, immutable"))

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *more]
            await send(message)

        return sending


def sign_in_page(to: str, complaint: str = "", *, status: int = 200) -> HTMLResponse:
    """The form, without any script."""
    page = (STATIC / "sign-in.html").read_text("utf-8")
    shown = f'<p class="complaint" role="alert">{escape(complaint)}</p>' if complaint else ""
    page = page.replace("<!--complaint-->", shown).replace("{to}", escape(to, quote=True))
    return HTMLResponse(page, status, headers={"cache-control": "no-store"})


def _missing() -> Response:
    return HTMLResponse((STATIC / "missing.html").read_text("utf-8"), 404)


def _to_sign_in(scope: Scope) -> Response:
    if scope["method"] not in ("GET", "HEAD"):
        return Response("sign in first", 401)
    query = scope.get("query_string", b"").decode("latin-1")
    to = scope["path"] + (f"?{query}" if query else "")
    where = SIGN_IN if to == "/" else f"{SIGN_IN}?to={quote(to, safe='/')}"
    return RedirectResponse(where, 303, headers={"cache-control": "no-store"})


def _inside(to: str) -> str:
    """A path of ours; anything that could lead elsewhere is the front page."""
    parts = urlsplit(to)
    plain = to.startswith("/") and not to.startswith(("//", "/\\")) and not parts.netloc
    return to if plain and to.isprintable() and parts.path not in (SIGN_IN, SIGN_OUT) else "/"


def _same_origin(headers: Headers) -> bool:
    """Whether a browser says that this comes from a page of the host it was sent to.

    Behind a proxy that ends TLS our own scheme is not the page's, so hosts are compared.
    """
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site") in ("same-origin", None)
    return urlsplit(origin).netloc.lower() == headers.get("host", "").lower()


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_FORM:
            return b""
    return body


def _policy(tiles: str | None) -> str:
    """Nothing is loaded from elsewhere but the map's tiles, where the operator names a server of them.

    NiceGUI's pages are made of inline scripts and of templates compiled in the browser.
    """
    parts = urlsplit(tiles or "")
    host = f" {parts.scheme}://{parts.netloc.replace('{s}', '*')}" if parts.netloc else ""
    return (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        f"img-src 'self' data: blob:{host}; font-src 'self' data:; connect-src 'self'; "
        "frame-ancestors 'none'; base-uri 'self'; form-action 'self'"
    )
