"""The receiver behind a relay (`python -m bench.hub.sink PORT`): versions, details and credentials, and OK to all else."""

import asyncio
import sys
from functools import partial

import uvloop

from bench.parties import Connection, success

_TAKEN = success()
_OFFERED = (("credentials", "SENDER"), ("locations", "RECEIVER"), ("locations", "SENDER"))


def answered(base: str, method: bytes, url: bytes) -> bytes:
    """What a registration asks for; all else is taken."""
    if method != b"GET":
        return _TAKEN
    if url == b"/versions":
        return success([{"version": "2.2.1", "url": f"{base}/2.2.1"}])
    endpoints = [
        {"identifier": module, "role": role, "url": f"{base}/2.2.1/{module}"} for module, role in _OFFERED
    ]
    return success({"version": "2.2.1", "endpoints": endpoints})


async def _serve(port: int) -> None:
    sink = partial(answered, f"http://127.0.0.1:{port}")
    server = await asyncio.get_running_loop().create_server(lambda: Connection(sink), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
