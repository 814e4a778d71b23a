"""Which path is which interface: every operation of every module."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ocpi.errors import MethodNotAllowedError, NotFoundError
from ocpi.hub.hub import RESULTS
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.partners.desk import HUB, OFFERED
from ocpi.server import cdrs, commands, credentials, locations, sessions, tariffs, tokens, versions
from ocpi.server.calling import Operation
from ocpi.server.hub import clients, foreign
from ocpi.versions import Version

INTERFACES: Mapping[tuple[ModuleId, InterfaceRole], Sequence[Operation]] = {
    (ModuleId.LOCATIONS, InterfaceRole.SENDER): locations.OPERATIONS,
    (ModuleId.SESSIONS, InterfaceRole.SENDER): sessions.OPERATIONS,
    (ModuleId.CDRS, InterfaceRole.SENDER): cdrs.OPERATIONS,
    (ModuleId.TARIFFS, InterfaceRole.SENDER): tariffs.OPERATIONS,
    (ModuleId.TOKENS, InterfaceRole.RECEIVER): tokens.OPERATIONS,
    (ModuleId.COMMANDS, InterfaceRole.RECEIVER): commands.OPERATIONS,
    (ModuleId.HUB_CLIENT_INFO, InterfaceRole.RECEIVER): foreign.OPERATIONS,
}
"""What our CPO answers, whichever platform it is asked on."""


class Interface(NamedTuple):
    """What one URL of ours leads to; `module` is None for versions and version details."""

    module: ModuleId | None
    version: Version | None
    operations: Sequence[Operation]
    role: InterfaceRole | None = None

    @property
    def open_to_invited(self) -> bool:
        """Whether a partner that is not registered yet may call it."""
        return self.module is None or self.module is ModuleId.CREDENTIALS


class Found(NamedTuple):
    """An interface, and the path segments behind its URL."""

    interface: Interface
    segments: tuple[str, ...]


def _interfaces() -> dict[tuple[str, ...], Interface]:
    """Every interface by its path, platform first."""
    found: dict[tuple[str, ...], Interface] = {}
    for platform, offered in OFFERED.items():
        found[platform, "versions"] = Interface(None, None, versions.VERSIONS)
        for version in Version:
            found[platform, version] = Interface(None, version, versions.DETAILS)
            found[platform, version, ModuleId.CREDENTIALS] = Interface(
                ModuleId.CREDENTIALS, version, credentials.OPERATIONS
            )
            if platform == HUB:
                # Where results of commands come back to; in no version details.
                found[platform, version, RESULTS] = Interface(ModuleId.COMMANDS, version, ())
            for module, role in offered:
                operations = _operations(platform, module, role)
                found[platform, version, role.lower(), module] = Interface(module, version, operations, role)
    return found


def _operations(platform: str, module: ModuleId, role: InterfaceRole) -> Sequence[Operation]:
    """What is answered here itself: on the hub only who is behind it, all else is routed."""
    if platform == HUB:
        return () if module.routed else clients.OPERATIONS
    return INTERFACES[module, role]


BY_PATH = _interfaces()
OURS: Mapping[tuple[ModuleId, InterfaceRole], Interface] = {
    (module, role): Interface(module, None, operations, role)
    for (module, role), operations in INTERFACES.items()
}
"""What our own CPO answers behind the hub."""
_LONGEST = max(len(path) for path in BY_PATH)


def find(path: tuple[str, ...]) -> Found | None:
    """The interface whose URL is the longest beginning of this path."""
    for length in range(min(_LONGEST, len(path)), 0, -1):
        interface = BY_PATH.get(path[:length])
        if interface is not None:
            return Found(interface, path[length:])
    return None


def operation(found: Found, method: str) -> Operation:
    """The operation asked for. Raises NotFoundError (404) or MethodNotAllowedError (405)."""
    here = [each for each in found.interface.operations if each.fits(found.segments)]
    if not here or not all(found.segments):
        raise NotFoundError("there is nothing at this URL")
    for each in here:
        if each.method == method:
            return each
    allowed = ", ".join(sorted(each.method for each in here))
    raise MethodNotAllowedError(f"{method} is not possible here, only {allowed}")


def platform_of(path: tuple[str, ...]) -> str | None:
    """The platform a path belongs to."""
    return path[0] if path and path[0] in OFFERED else None
