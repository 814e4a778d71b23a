"""Starlette answering with a page that is ready as bytes: what HTTP alone costs."""

import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PAGE = (Path(sys.argv[2]) / "page.json").read_bytes()


async def page(_request: Request) -> Response:
    """The same bytes for everybody."""
    return Response(PAGE, headers={"X-Total-Count": "500", "X-Limit": "50"}, media_type="application/json")


if __name__ == "__main__":
    app = Starlette(routes=[Route("/locations", page)])
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error", access_log=False)
