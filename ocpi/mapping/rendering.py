"""From a wire form to the bytes that travel."""

import msgspec

from ocpi.mapping.amounts import Body

_encode = msgspec.json.Encoder(decimal_format="number").encode


def render(body: Body) -> bytes:
    """JSON of an object in its wire form; Decimals become JSON numbers."""
    return _encode(body)
