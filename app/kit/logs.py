"""Structured logs: JSON lines (or a readable form on a terminal) on stderr, secrets masked in one place."""

import contextlib
import logging
import sys
import threading
from typing import Any, BinaryIO, Literal, cast

import orjson
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from app.kit.redaction import mask_headers, masked, printable, without_controls

__all__ = ["correlated", "get", "mask_headers", "masked", "setup"]

Form = Literal["auto", "json", "console"]


def setup(level: str = "info", form: Form = "auto", stream: BinaryIO | None = None) -> None:
    """Send every log line of the process, the standard library's and the servers' too, to one place.

    `form` "auto" is readable on a terminal and JSON elsewhere. `stream` replaces stderr.
    """
    out = stream if stream is not None else sys.stderr.buffer
    console = form == "console" or (form == "auto" and out.isatty())
    number = logging.getLevelNamesMapping()[level.upper()]
    lines = _Lines(out)
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True, key="time")
    chain: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        stamp,
        structlog.processors.format_exc_info,
        _redacted,
        *((_for_terminals, structlog.dev.ConsoleRenderer()) if console else (_as_json,)),
    ]
    structlog.configure(
        processors=chain,
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=False,
    )
    _adopt_stdlib(_Handler(lines, chain), number)


def get(name: str) -> FilteringBoundLogger:
    """A logger under a name, for `log.info("what happened", key=value)`."""
    return cast("FilteringBoundLogger", structlog.get_logger(source=name))


def correlated(correlation_id: str, **more: str) -> contextlib.AbstractContextManager[None]:
    """Everything logged inside, tasks started there included, carries this correlation id."""
    return structlog.contextvars.bound_contextvars(correlation_id=correlation_id, **more)


class _Lines:
    """Writes whole lines. A closed or full stderr must never become the error of who logged."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def msg(self, line: str | bytes) -> None:
        data = line if isinstance(line, bytes) else line.encode("utf-8", "backslashreplace")
        with contextlib.suppress(OSError, ValueError), self._lock:
            self._stream.write(data + b"\n")
            self._stream.flush()

    debug = info = warning = error = critical = exception = log = msg


class _Handler(logging.Handler):
    """Takes the lines of the standard library's loggers through the same processors."""

    def __init__(self, lines: _Lines, chain: list[Processor]) -> None:
        super().__init__()
        self._lines = lines
        self._chain = chain

    def emit(self, record: logging.LogRecord) -> None:
        event: Any = {"event": _message_of(record), "source": record.name}
        if record.exc_info:
            event["exc_info"] = record.exc_info
        try:
            for processor in self._chain:
                event = processor(None, record.levelname.lower(), event)
        except Exception:  # noqa: BLE001 - the standard library's own rule for handlers: report, never raise
            self.handleError(record)
        else:
            self._lines.msg(event)


def _message_of(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - a wrong format string still leaves its text behind
        return str(record.msg)


def _adopt_stdlib(handler: logging.Handler, level: int) -> None:
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    logging.captureWarnings(capture=True)
    # The servers greet and say goodbye at "info", and name every connection; our own lines tell that better.
    for name in ("uvicorn", "uvicorn.error", "websockets", "alembic", "httpx", "asyncio", "aiosqlite"):
        quiet = logging.getLogger(name)
        quiet.handlers = []
        quiet.propagate = True
        quiet.setLevel(max(level, logging.WARNING))
    access = logging.getLogger("uvicorn.access")
    access.handlers = []
    access.propagate = False


def _redacted(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The one place where log lines lose their secrets and become plain JSON types."""
    plain: dict[str, Any] = printable(dict(event))
    return plain


def _as_json(_logger: WrappedLogger, _method: str, event: EventDict) -> bytes:
    return orjson.dumps(event)


def _for_terminals(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {key: _readable(key, value) for key, value in event.items()}


def _readable(key: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if key == "exception":
        return "\n".join(map(without_controls, value.split("\n")))
    return without_controls(value)
