"""Settings: the environment (and a .env file), read once and checked, and the secrets kept beside the data."""

import base64
import contextlib
import difflib
import hashlib
import ipaddress
import logging
import os
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from dotenv import dotenv_values
from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "VOLTBRIDGE_"
ENV_FILE = ".env"

# Read by the test suite, not by the server.
_KNOWN_ELSEWHERE = frozenset({"VOLTBRIDGE_TEST_DATABASE_URL"})
_DRIVERS = ("sqlite+aiosqlite", "postgresql+asyncpg")

_log = logging.getLogger("voltbridge.settings")


class SettingsError(Exception):
    """A setting that cannot be used; its text is one line that begins with the variable's name."""

    def __init__(self, variable: str, problem: str) -> None:
        self.variable = variable
        super().__init__(f"{variable}: {' '.join(problem.split())}")


def _problem(text: str, variable: str | None = None) -> PydanticCustomError:
    context = {"problem": text} | ({"variable": variable} if variable else {})
    return PydanticCustomError("setting", "{problem}", context)


def _country(value: str) -> str:
    if not (len(value) == 2 and value.isascii() and value.isalpha()):
        raise _problem("must be two letters (ISO 3166-1 alpha-2), for example NL")
    return value.upper()


def _party(value: str) -> str:
    if not (len(value) == 3 and value.isascii() and value.isalnum()):
        raise _problem("must be three letters or digits (ISO 15118), for example VBR")
    return value.upper()


def _host(value: str) -> str:
    if not value.strip() or any(sign in value for sign in "/ \t[]@"):
        raise _problem("must be an address or a host name, for example 127.0.0.1")
    return value


def _base(*schemes: str) -> AfterValidator:
    def check(value: str) -> str:
        try:
            parts = urlsplit(value)
            valid = parts.scheme in schemes and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:
            valid = False
        if not valid or parts.query or parts.fragment or parts.username or any(c.isspace() for c in value):
            raise _problem(f"must be a URL that begins with {' or '.join(f'{s}://' for s in schemes)}")
        return value.rstrip("/")

    return AfterValidator(check)


def _tiles(value: str) -> str:
    parts = urlsplit(value)
    odd = any(sign.isspace() or sign in "\"';," for sign in value)
    if parts.scheme not in ("http", "https") or not parts.netloc or odd or "{z}" not in value:
        raise _problem("must be the address of map tiles, for example https://tiles.example/{z}/{x}/{y}.png")
    return value


def _database(value: str) -> str:
    if value.partition("://")[0] not in _DRIVERS:
        raise _problem("must begin with sqlite+aiosqlite:/// or postgresql+asyncpg://")
    return value


def _bearer(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not (text.isascii() and text.isprintable() and " " not in text):
        raise _problem("must be printable ASCII without spaces: it travels in an HTTP header")
    return value


def _origin(scheme: str, data: dict[str, Any], listener: str) -> str:
    host = data[f"{listener}_host"]
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{data[f'{listener}_port']}"


Host = Annotated[str, AfterValidator(_host)]
Port = Annotated[int, Field(ge=1, le=65535)]
Country = Annotated[str, AfterValidator(_country)]
Party = Annotated[str, AfterValidator(_party)]


class Settings(BaseSettings):
    """What an operator can set, each as the variable VOLTBRIDGE_ and the field's name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=ENV_FILE,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        validate_default=False,
    )

    state_dir: Path = Path("var")
    # Carries a password on PostgreSQL, so it stays out of every repr.
    database_url: Annotated[str, AfterValidator(_database)] = Field(
        default_factory=lambda data: f"sqlite+aiosqlite:///{data['state_dir'] / 'voltbridge.db'}", repr=False
    )
    http_host: Host = "127.0.0.1"
    http_port: Port = 8000
    ocpp_host: Host = "127.0.0.1"
    ocpp_port: Port = 9000
    public_url: Annotated[str, _base("http", "https")] = Field(
        default_factory=lambda data: _origin("http", data, "http")
    )
    ocpp_public_url: Annotated[str, _base("ws", "wss")] = Field(
        default_factory=lambda data: _origin("ws", data, "ocpp")
    )
    admin_token: Annotated[SecretStr, AfterValidator(_bearer)] | None = None
    secret_key: SecretStr | None = None
    country_code: Country = "NL"
    party_id: Party = "VBR"
    hub_country_code: Country = "NL"
    hub_party_id: Party = "VHB"
    unknown_stations: Literal["pending", "accept", "reject"] = "pending"
    allow_profile_0: bool = False
    hub_agreements: Literal["closed", "open"] = "closed"
    allow_private_urls: bool = False
    # How long a driver waits for the issuer of a token, and a station's answer to a command is waited for.
    authorize_seconds: Annotated[float, Field(gt=0, le=25)] = 5
    command_seconds: Annotated[float, Field(ge=1, le=120)] = 60
    # What each partner may ask of us: requests per second, requests under way, bytes of a body.
    partner_rate: Annotated[float, Field(gt=0, le=1e6)] = 300
    partner_at_once: Annotated[int, Field(ge=1, le=10_000)] = 64
    partner_body: Annotated[int, Field(ge=1024, le=64 * 1024 * 1024)] = 1024 * 1024
    # How long after an accepted remote start a transaction may begin, before its session is given up.
    start_seconds: Annotated[float, Field(ge=1, le=3600)] = 180
    # Whether stations are set up after their first boot, and after one with another firmware.
    commissioning: bool = True
    # Where the console's map takes its background from, such as https://tiles.example/{z}/{x}/{y}.png.
    map_tiles: Annotated[str, AfterValidator(_tiles)] | None = None
    demo: bool = False
    # Per-message deflate costs about 40 KB of memory per connected station.
    ocpp_compression: bool = False
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "json", "console"] = "auto"

    @classmethod
    def load(cls) -> Self:
        """The settings of this process. Raises SettingsError; warns of VOLTBRIDGE_ variables nobody knows."""
        try:
            settings = cls()
        except ValidationError as error:
            raise _first_line_of(error) from None
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{PREFIX}*", f"the file {ENV_FILE} cannot be read: {error}") from None
        for line in unknown_variables([*os.environ, *dotenv_values(ENV_FILE)]):
            _log.warning("%s", line)
        return settings

    @property
    def http_on_loopback(self) -> bool:
        """Whether only this machine can reach the HTTP listener."""
        return is_loopback(self.http_host)

    @property
    def ocpp_on_loopback(self) -> bool:
        """Whether only this machine can reach the OCPP listener."""
        return is_loopback(self.ocpp_host)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for listener, url in (("http", "public_url"), ("ocpp", "ocpp_public_url")):
            host = getattr(self, f"{listener}_host")
            if is_wildcard(host) and url not in self.model_fields_set:
                raise _problem(
                    f"is required because {variable(f'{listener}_host')} is {host}: "
                    "it is the address that others reach this server by",
                    variable(url),
                )
        if self.unknown_stations == "accept" and not (self.ocpp_on_loopback or self.allow_profile_0):
            raise _problem(
                "accept needs OCPP to listen on loopback, or VOLTBRIDGE_ALLOW_PROFILE_0=1",
                variable("unknown_stations"),
            )
        if self.demo and not (self.http_on_loopback and self.ocpp_on_loopback):
            raise _problem("the demo needs both listeners on loopback (127.0.0.1)", variable("demo"))
        if (self.country_code, self.party_id) == (self.hub_country_code, self.hub_party_id):
            raise _problem(
                "the hub must be another party than the charge point operator", variable("hub_party_id")
            )
        return self


def variable(field: str) -> str:
    """The environment variable of a field of Settings."""
    return PREFIX + field.upper()


def is_loopback(host: str) -> bool:
    """Whether a listener bound to this host can be reached from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def is_wildcard(host: str) -> bool:
    """Whether a listener bound to this host listens on every address of the machine."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def unknown_variables(names: Iterable[str]) -> list[str]:
    """One line for each VOLTBRIDGE_ variable that means nothing here, with the nearest one that does."""
    known = {variable(field) for field in Settings.model_fields} | _KNOWN_ELSEWHERE
    lines = []
    for name in sorted({name for name in names if name.upper().startswith(PREFIX)}):
        if name.upper() in known:
            continue
        near = difflib.get_close_matches(name.upper(), sorted(known), n=1)
        lines.append(f"{name}: unknown variable, ignored{f'; did you mean {near[0]}?' if near else ''}")
    return lines


def prepare_state_dir(settings: Settings) -> Path:
    """Make the folder for what is kept between starts, if it is missing, and prove that it can be written to.

    Raises SettingsError.
    """
    try:
        settings.state_dir.mkdir(parents=True, exist_ok=True)
        _draft(settings.state_dir, "").unlink()
    except OSError as error:
        raise _unusable(settings.state_dir, error) from None
    return settings.state_dir


def admin_token(settings: Settings) -> str:
    """The token of the admin API: the given one, or one made at the first start and kept. Raises SettingsError."""
    if settings.admin_token is not None:
        return settings.admin_token.get_secret_value()
    return _kept(settings, "admin-token", lambda: secrets.token_urlsafe(32))


def new_admin_token(settings: Settings) -> str:
    """Make and keep another admin token; the one before is worth nothing from the next start on.

    Raises SettingsError, also when the environment names a token: that one would win over the new one.
    """
    if settings.admin_token is not None:
        raise SettingsError(
            variable("admin_token"), "is set and wins over a token made here; change it there"
        )
    token = secrets.token_urlsafe(32)
    prepare_state_dir(settings)
    try:
        _draft(settings.state_dir, token).replace(settings.state_dir / "admin-token")
    except OSError as error:
        raise _unusable(settings.state_dir, error) from None
    return token


def secret_key(settings: Settings) -> bytes:
    """The Fernet key for what must be kept readable: the given one (any other text is hashed into one), or one
    made at the first start and kept. Raises SettingsError.
    """
    if settings.secret_key is not None:
        text = settings.secret_key.get_secret_value()
        return text.encode() if _is_fernet_key(text) else _stretched(text)
    kept = _kept(settings, "secret.key", lambda: Fernet.generate_key().decode())
    if not _is_fernet_key(kept):
        raise SettingsError(variable("state_dir"), f"{settings.state_dir / 'secret.key'} does not hold a key")
    return kept.encode()


def _stretched(text: str) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())


def _is_fernet_key(text: str) -> bool:
    try:
        Fernet(text)
    except ValueError:
        return False
    return True


def _kept(settings: Settings, name: str, make: Callable[[], str]) -> str:
    """The secret in this file, which is made if it is missing; of two processes that start at once one wins."""
    path = settings.state_dir / name
    try:
        if not path.exists():
            prepare_state_dir(settings)
            draft = _draft(settings.state_dir, make())
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)
            draft.unlink()
        path.chmod(0o600)
        text = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(path, error) from None
    if not text:
        raise SettingsError(variable("state_dir"), f"{path} is empty; remove it and a new one is made")
    return text


def _draft(folder: Path, text: str) -> Path:
    """A new file that only its owner can read, written down to the disk; it is linked or renamed into place."""
    path = folder / f".{secrets.token_hex(8)}.new"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())
    return path


def _unusable(path: Path, error: Exception) -> SettingsError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return SettingsError(variable("state_dir"), f"cannot use {path}: {reason}")


def _first_line_of(error: ValidationError) -> SettingsError:
    details = error.errors(include_url=False, include_input=False)
    first = next((d for d in details if d["type"] != "default_factory_not_called"), details[0])
    name = first.get("ctx", {}).get("variable") or variable(str(first["loc"][0] if first["loc"] else "*"))
    return SettingsError(name, first["msg"])
