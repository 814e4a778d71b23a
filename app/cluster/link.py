"""Link: the one connection to PostgreSQL that a process keeps for its locks and for the bus; made anew when it breaks."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

from app.cluster.bus import LocalBus, Topic
from app.kit import logs
from app.kit.tasks import spawn

_CHANNEL = "voltbridge"
_NOTIFY = "SELECT pg_notify('voltbridge', text) FROM unnest($1::text[]) AS t(text)"
_SECONDS = 10.0
_AGAIN_SECONDS = 0.3
_GATHER_SECONDS = 0.02
_MOST_WAITING = 10_000
_TOPICS = {str(topic): topic for topic in Topic}
# A peer that vanished with its machine is noticed by the server within some 15 seconds.
_KEEPALIVE = {"tcp_keepalives_idle": "5", "tcp_keepalives_interval": "3", "tcp_keepalives_count": "3"}
_SETTINGS = {**_KEEPALIVE, "application_name": "voltbridge node", "idle_session_timeout": "0"}

_AWAY = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)

_log = logs.get("cluster.link")


class Link(LocalBus):
    """The bus of a process that has neighbours: NOTIFY on a connection of its own, outside of every transaction.

    What is published while the last ones are on their way is sent together. `opened` is awaited with every new
    connection, before anything is heard on it; `lost` is called when it breaks.
    """

    def __init__(self, dsn: str, opened: Callable[[], Awaitable[None]], lost: Callable[[], None]) -> None:
        super().__init__()
        self.name = ""
        self._dsn = dsn
        self._opened = opened
        self._lost = lost
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._turn = asyncio.Lock()
        self._waiting: dict[tuple[Topic, str], None] = {}
        self._awake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._closing = False

    async def open(self) -> None:
        """Connect and listen. Raises what the driver raises."""
        await self._connect()
        self._tasks = [spawn(self._keep(), "cluster link"), spawn(self._send(), "cluster bus")]

    async def close(self) -> None:
        """Say what is still to be said, then let go of the connection and its locks."""
        self._closing = True
        with contextlib.suppress(*_AWAY):
            await self._flush()
        for task in self._tasks:
            task.cancel()
        if self._connection is not None:
            with contextlib.suppress(*_AWAY):
                await self._connection.close(timeout=5)

    async def ask(self, sql: str, *values: Any) -> list[asyncpg.Record]:
        """The answer to a statement of its own. Raises what the driver raises."""
        connection = self._connection
        if connection is None:
            raise asyncpg.InterfaceError("the link is down")
        async with self._turn:
            return await connection.fetch(sql, *values)

    def publish(self, topic: Topic, id_: str = "", *, here: bool = True) -> None:
        """Wake whoever listens in any process."""
        if here:
            self.tell(topic, id_)
        if len(self._waiting) < _MOST_WAITING:
            self._waiting[topic, id_] = None
            self._awake.set()

    async def _connect(self) -> None:
        connection = await asyncpg.connect(
            self._dsn, timeout=_SECONDS, command_timeout=_SECONDS, server_settings=_SETTINGS
        )
        try:
            self._connection = connection
            await self._opened()
            await connection.add_listener(_CHANNEL, self._heard)
        except BaseException:
            self._connection = None
            connection.terminate()
            raise

    async def _keep(self) -> None:
        """As long as the process lives there is a connection, or one is being made."""
        while not self._closing:
            connection = self._connection
            if connection is not None and not connection.is_closed():
                gone = asyncio.Event()
                connection.add_termination_listener(lambda _connection, gone=gone: gone.set())
                if not connection.is_closed():
                    await gone.wait()
            if self._closing:
                return
            self._connection = None
            self._lost()
            _log.warning("the connection to the other processes is lost")
            await self._reconnect()

    async def _reconnect(self) -> None:
        while not self._closing:
            await asyncio.sleep(_AGAIN_SECONDS)
            try:
                await self._connect()
            except _AWAY as error:
                _log.info("the connection to the other processes is not back", error=str(error))
                continue
            self.tell_all()
            return

    async def _send(self) -> None:
        while True:
            await self._awake.wait()
            try:
                await self._flush()
            except _AWAY:
                await asyncio.sleep(_AGAIN_SECONDS)
            else:
                await asyncio.sleep(_GATHER_SECONDS)

    async def _flush(self) -> None:
        """Everything that waits, in one statement; what could not be sent waits on."""
        self._awake.clear()
        if not self._waiting:
            return
        waiting = list(self._waiting)
        payloads = [f"{self.name} {topic} {id_}" for topic, id_ in waiting]
        try:
            await self.ask(_NOTIFY, payloads)
        except BaseException:
            self._awake.set()
            raise
        for key in waiting:
            self._waiting.pop(key, None)

    def _heard(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        sender, _, rest = str(payload).partition(" ")
        topic, _, id_ = rest.partition(" ")
        if sender != self.name and topic in _TOPICS:
            self.tell(_TOPICS[topic], id_)
