"""The versions list and the details of one version (2.2.1 version information endpoint)."""

from typing import Annotated, Any

from pydantic import Field, field_validator

from ocpi.modules import InterfaceRole, ModuleId
from ocpi.wire.base import Url, WireModel, Word


class VersionEntry(WireModel):
    """A version that a platform offers, newer ones than we know included, and where its details are."""

    version: Word
    url: Url


class Endpoint(WireModel):
    """One interface of one module; identifiers of custom modules are allowed."""

    identifier: Word
    role: InterfaceRole
    url: Url


class VersionDetails(WireModel):
    """All endpoints of one version; a module appears once for each role."""

    version: Word
    endpoints: Annotated[list[Endpoint], Field(min_length=1)]

    @field_validator("endpoints", mode="before")
    @classmethod
    def _credentials_need_no_role(cls, value: Any) -> Any:
        """The role of the credentials endpoint means nothing, and some platforms leave it out."""
        if not isinstance(value, list):
            return value
        return [
            {"role": InterfaceRole.SENDER.value} | item
            if isinstance(item, dict) and item.get("identifier") == ModuleId.CREDENTIALS
            else item
            for item in value
        ]

    def url_of(self, module: ModuleId, role: InterfaceRole) -> str | None:
        """Find the URL of an interface; for credentials the role is not looked at."""
        for endpoint in self.endpoints:
            if endpoint.identifier == module and (module is ModuleId.CREDENTIALS or endpoint.role is role):
                return endpoint.url
        return None
