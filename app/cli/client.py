"""The admin API from the terminal: a small blocking client, with every failure in one line."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import httpx

from app.cli.failures import Failure, expected
from app.settings import Settings, is_wildcard

SECONDS = 150.0
"""A handshake or a call to a station may take its time."""


def local_url(settings: Settings) -> str:
    """Where the server of this machine listens."""
    host = settings.http_host
    if is_wildcard(host):
        host = "::1" if ":" in host else "127.0.0.1"
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.http_port}"


def path(*parts: object) -> str:
    """A path of ids, each of them encoded."""
    return "/" + "/".join(quote(str(part), safe="") for part in parts)


def request(
    method: str,
    where: str,
    *,
    body: Any = None,
    query: Mapping[str, Any] | None = None,
    explain: Callable[[dict[str, Any]], str] | None = None,
) -> httpx.Response:
    """One request to the running server. Raises Failure for everything that is not a success.

    `explain` makes one line of a refusal, where its `detail` alone does not say enough.
    """
    with expected():
        settings = Settings.load()
    base = local_url(settings)
    asked = {name: value for name, value in (query or {}).items() if value is not None}
    try:
        response = httpx.request(
            method,
            f"{base}/admin/v1{where}",
            params=asked or None,
            json=body,
            headers={"Authorization": f"Bearer {_token(settings)}"},
            timeout=httpx.Timeout(SECONDS, connect=3.0),
            trust_env=False,
        )
    except (httpx.ConnectError, httpx.ConnectTimeout):
        raise Failure(f"no server answers at {base}; start it with: voltbridge serve") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Failure(f"{base} does not answer as it should: {type(error).__name__} {error}") from None
    if response.is_success:
        return response
    raise Failure(_refusal(response, base, explain), response.status_code)


def _token(settings: Settings) -> str:
    if settings.admin_token is not None:
        return settings.admin_token.get_secret_value()
    kept = settings.state_dir / "admin-token"
    try:
        return kept.read_text("utf-8").strip()
    except FileNotFoundError:
        raise Failure(
            f"there is no admin token in {kept}; start the server once (voltbridge serve), "
            "or set VOLTBRIDGE_ADMIN_TOKEN"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"the admin token in {kept} cannot be read: {error}") from None


def _refusal(response: httpx.Response, base: str, explain: Callable[[dict[str, Any]], str] | None) -> str:
    if response.status_code == 401:
        return f"the server at {base} does not take this admin token; it keeps its own in var/admin-token"
    try:
        problem = response.json()
        detail = str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        return f"{base} answers {response.status_code}, and not as Voltbridge does"
    return detail if explain is None else explain(problem)
