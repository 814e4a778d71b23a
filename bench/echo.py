"""The ceiling: a picows server that decodes each call and gives a ready answer. Run: python -m bench.echo PORT [CORE]."""

import sys

import orjson
import uvloop
from picows import (
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
    ws_create_server,
)

from bench import processes

_ANSWERS = {
    "BootNotification": b'{"status":"Accepted","currentTime":"2026-01-01T00:00:00.000Z","interval":300}',
    "Heartbeat": b'{"currentTime":"2026-01-01T00:00:00.000Z"}',
    "StartTransaction": b'{"transactionId":1,"idTagInfo":{"status":"Accepted"}}',
    "StopTransaction": b'{"idTagInfo":{"status":"Accepted"}}',
}


class _Echo(WSListener):
    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            call = orjson.loads(frame.get_payload_as_memoryview())
            answer = _ANSWERS.get(call[2], b"{}")
            transport.send(WSMsgType.TEXT, b'[3,"%s",%s]' % (call[1].encode(), answer))
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()


def _accept(_request: WSUpgradeRequest) -> WSUpgradeResponseWithListener:
    answer = WSUpgradeResponse.create_101_response([("Sec-WebSocket-Protocol", "ocpp1.6")])
    return WSUpgradeResponseWithListener(answer, _Echo())


async def _serve(port: int) -> None:
    server = await ws_create_server(_accept, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    processes.stay_on(int(sys.argv[2]) if len(sys.argv) > 2 else None)
    uvloop.run(_serve(int(sys.argv[1])))
