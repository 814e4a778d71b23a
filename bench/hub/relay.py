"""A relay as one would write it first (`python -m bench.hub.relay PORT SINK`): FastAPI, a typed body, httpx."""

import sys
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import uvicorn
from fastapi import FastAPI, Request
from pydantic import BaseModel


class Patch(BaseModel):
    """The body that is passed on."""

    status: str
    last_updated: str


@asynccontextmanager
async def _living(app: FastAPI) -> Any:
    async with httpx.AsyncClient(trust_env=False) as client:
        app.state.client = client
        yield


app = FastAPI(lifespan=_living)


@app.patch("/locations/{path:path}")
async def relay(path: str, body: Patch, request: Request) -> Any:
    """Send it on with a new request id."""
    kept = {name: value for name, value in request.headers.items() if name.startswith(("ocpi-", "x-corr"))}
    answer = await request.app.state.client.patch(
        f"{sys.argv[2]}/2.2.1/locations/{path}",
        json=body.model_dump(),
        headers=kept | {"X-Request-ID": str(uuid4()), "Authorization": "Token dG9rZW4="},
    )
    return answer.json()


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)
