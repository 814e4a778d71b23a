"""The OpenAPI document of our OCPI interfaces, made from the same operations that are served."""

from typing import Any

from pydantic.json_schema import models_json_schema

from ocpi.partners.desk import PLATFORM
from ocpi.server.calling import Operation
from ocpi.server.interfaces import BY_PATH
from ocpi.versions import Version
from ocpi.wire.base import WireModel

_REF = "#/components/schemas/{model}"
_LIST_PARAMETERS = {
    "offset": {"type": "integer", "minimum": 0},
    "limit": {"type": "integer", "minimum": 1},
    "date_from": {"type": "string", "format": "date-time"},
    "date_to": {"type": "string", "format": "date-time"},
}


def document(version: Version = Version.V2_2_1, platform: str = PLATFORM) -> dict[str, Any]:
    """OpenAPI 3.1 of one version on one platform; paths are relative to the public URL."""
    operations = list(_operations(version, platform))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"Voltbridge OCPI {version}",
            "version": str(version),
            "description": "What partners may call. Every answer is an OCPI envelope, errors included.",
        },
        "paths": _paths(operations),
        "components": {
            "schemas": _schemas(operations),
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`Token ` and the Base64 form of the credentials token",
                }
            },
        },
        "security": [{"token": []}],
    }


def _operations(version: Version, platform: str) -> list[tuple[str, str, Operation]]:
    """(path, tag, operation) of everything this version serves."""
    return [
        ("/ocpi/" + "/".join(path) + each.path, str(interface.module or "versions"), each)
        for path, interface in BY_PATH.items()
        if path[0] == platform and interface.version in (None, version)
        for each in interface.operations
    ]


def _paths(operations: list[tuple[str, str, Operation]]) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for path, tag, each in operations:
        paths.setdefault(path, {})[each.method.lower()] = _described(path, tag, each)
    return paths


def _described(path: str, tag: str, operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "tags": [tag],
        "summary": operation.summary,
        "operationId": f"{operation.handler.__name__}",
        "parameters": _parameters(operation),
        "responses": {
            "200": _answer(operation),
            **({"201": _answer(operation)} if operation.created else {}),
            "401": {"description": "The token is missing or not valid here"},
        },
    }
    if operation.method in ("POST", "PUT", "PATCH"):
        schema = {"type": "object"} if operation.body is None else _ref(operation.body)
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    if "{" in path:
        described["responses"]["404"] = {"description": "There is no such object of yours"}
    return described


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    names = [part.strip("{}") for part in operation.path.split("/") if part.startswith("{")]
    inside = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]
    asked = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in operation.parameters]
    paged = [{"name": name, "in": "query", "schema": schema} for name, schema in _LIST_PARAMETERS.items()]
    return inside + asked + (paged if operation.many else [])


def _answer(operation: Operation) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": "object",
        "required": ["status_code", "timestamp"],
        "properties": {
            "status_code": {"type": "integer"},
            "status_message": {"type": "string"},
            "timestamp": {"type": "string", "format": "date-time"},
        },
    }
    if operation.data is not None:
        one = _ref(operation.data)
        several = operation.many or operation.data.__name__ == "VersionEntry"
        schema["properties"]["data"] = {"type": "array", "items": one} if several else one
    answer: dict[str, Any] = {
        "description": "An OCPI envelope",
        "content": {"application/json": {"schema": schema}},
    }
    if operation.many:
        answer["headers"] = {
            name: {"schema": {"type": kind}}
            for name, kind in (("Link", "string"), ("X-Total-Count", "integer"), ("X-Limit", "integer"))
        }
    return answer


def _ref(model: type[WireModel]) -> dict[str, str]:
    return {"$ref": _REF.format(model=model.__name__)}


def _schemas(operations: list[tuple[str, str, Operation]]) -> dict[str, Any]:
    models = {m for _, _, each in operations for m in (each.body, each.data) if m is not None}
    ordered = sorted(models, key=lambda model: model.__name__)
    _, definitions = models_json_schema([(m, "validation") for m in ordered], ref_template=_REF)
    schemas: dict[str, Any] = definitions["$defs"]
    return dict(sorted(schemas.items()))
