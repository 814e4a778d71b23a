"""GET versions and GET version details (OCPI 2.2.1 version information endpoint)."""

from ocpi.errors import NotFoundError
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.partners.desk import OFFERED
from ocpi.server.calling import Call, Operation, Reply
from ocpi.versions import Version
from ocpi.wire.versions import VersionDetails, VersionEntry


async def get_versions(call: Call) -> Reply:
    """All versions of the caller's platform."""
    desk = call.context.desk
    return call.reply([{"version": str(v), "url": desk.version_url(call.platform, v)} for v in Version])


async def get_details(call: Call) -> Reply:
    """The endpoints of one version; credentials once, with a role that means nothing."""
    if call.version is None:
        raise NotFoundError("there is no such version")
    credentials = (ModuleId.CREDENTIALS, InterfaceRole.SENDER)
    endpoints = [
        {"identifier": str(module), "role": str(role), "url": call.url(module, role)}
        for module, role in (credentials, *OFFERED[call.platform])
    ]
    return call.reply({"version": str(call.version), "endpoints": endpoints})


VERSIONS = [
    Operation(method="GET", path="", handler=get_versions, summary="The versions we speak", data=VersionEntry)
]
DETAILS = [
    Operation(
        method="GET", path="", handler=get_details, summary="The endpoints of a version", data=VersionDetails
    )
]
