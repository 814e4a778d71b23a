"""extrawest-ocpi with ready locations in memory; runs in an environment of its own, so it imports nothing of ours."""

import json
import logging
import sys
from pathlib import Path
from typing import Any

import uvicorn
from py_ocpi import get_application
from py_ocpi.core.authentication.authenticator import Authenticator
from py_ocpi.core.crud import Crud
from py_ocpi.core.enums import ModuleID, RoleEnum
from py_ocpi.modules.locations.v_2_2_1.schemas import Location
from py_ocpi.modules.versions.enums import VersionNumber

KEPT: list[dict[str, Any]] = []


class Kept(Crud):
    """The list is given away as it is."""

    @classmethod
    async def list(cls, module: Any, role: Any, filters: dict[str, Any], *_: Any, **__: Any) -> Any:
        return KEPT[: filters["limit"]], 10 * len(KEPT), False

    @classmethod
    async def get(cls, *_: Any, **__: Any) -> Any: ...

    @classmethod
    async def create(cls, *_: Any, **__: Any) -> Any: ...

    @classmethod
    async def update(cls, *_: Any, **__: Any) -> Any: ...

    @classmethod
    async def delete(cls, *_: Any, **__: Any) -> Any: ...

    @classmethod
    async def do(cls, *_: Any, **__: Any) -> Any: ...


class Checked:
    """From what is kept to the library's model, as its examples do."""

    @classmethod
    def location_adapter(cls, data: dict[str, Any], version: Any = None) -> Location:
        return Location(**data)


class Known(Authenticator):
    """One token, in memory."""

    @classmethod
    async def get_valid_token_c(cls) -> list[str]:
        return ["bench-token"]

    @classmethod
    async def get_valid_token_a(cls) -> list[str]:
        return []


if __name__ == "__main__":
    KEPT += json.loads((Path(sys.argv[2]) / "page.json").read_bytes())["data"]
    logging.disable(logging.INFO)
    app = get_application(
        version_numbers=[VersionNumber.v_2_2_1],
        roles=[RoleEnum.cpo],
        crud=Kept,
        modules=[ModuleID.locations],
        authenticator=Known,
        adapter=Checked,
    )
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error", access_log=False)
