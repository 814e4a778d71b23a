"""The OpenAPI document of the OCPI interfaces."""

import json

from ocpi.server.interfaces import BY_PATH
from ocpi.server.openapi import document


def test_every_operation_is_described_once_and_every_reference_leads_somewhere():
    found = document()

    described = [operation["operationId"] for path in found["paths"].values() for operation in path.values()]
    served = [
        each for path, interface in BY_PATH.items() if path[0] == "cpo" for each in interface.operations
    ]
    assert len(described) == len(set(described)) == len(served)
    text = json.dumps(found)
    names = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= set(found["components"]["schemas"])
    assert document() == found
