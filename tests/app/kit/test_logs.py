"""Log lines: JSON that always parses, from every logger, with a correlation id."""

import asyncio
import io
import json
import logging
import warnings

import pytest

from app.kit import logs


@pytest.fixture(autouse=True)
def _root_logger_as_before():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers, root.level = handlers, level
    logging.captureWarnings(False)


def started(level="info", form="json"):
    stream = io.BytesIO()
    logs.setup(level, form, stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_json_with_time_level_source_and_values():
    lines = started()
    logs.get("intake").info("a batch was committed", size=17, stations=["CP1", "CP2"])
    (line,) = lines()
    assert line["event"] == "a batch was committed"
    assert (line["level"], line["source"], line["size"], line["stations"]) == (
        "info",
        "intake",
        17,
        ["CP1", "CP2"],
    )
    assert line["time"].endswith("Z")


def test_lines_below_the_level_are_not_written():
    lines = started("warning")
    logs.get("x").info("quiet")
    logging.getLogger("y").info("quiet")
    logs.get("x").warning("loud")
    assert [line["event"] for line in lines()] == ["loud"]


def test_loggers_of_the_standard_library_and_of_uvicorn_come_out_the_same_way():
    lines = started()
    logging.getLogger("sqlalchemy.pool").warning("the pool has %d left", 2)
    logging.getLogger("uvicorn.error").error("Exception in ASGI application, Authorization: Token abc123")
    logging.getLogger("uvicorn.error").info("connection open")
    logging.getLogger("uvicorn.access").info("GET / 200")
    first, second = lines()
    assert (first["event"], first["source"], first["level"]) == (
        "the pool has 2 left",
        "sqlalchemy.pool",
        "warning",
    )
    assert "abc123" not in second["event"]


def test_a_wrong_format_string_of_a_library_still_leaves_a_line():
    lines = started()
    logging.getLogger("clumsy").warning("%d stations", "many")
    assert lines()[0]["event"] == "%d stations"


def test_an_exception_is_one_line_with_its_traceback_masked():
    lines = started()
    try:
        raise RuntimeError("partner said 401 to Token s3cr3t-value")
    except RuntimeError:
        logs.get("x").exception("failed")
        logging.getLogger("y").exception("failed too")
    for line in lines():
        assert "RuntimeError: partner said 401 to Token ***" in line["exception"]
        assert "s3cr3t" not in line["exception"]


async def test_a_correlation_id_reaches_every_line_inside_tasks_too():
    lines = started()

    async def child():
        logs.get("child").info("inside")

    with logs.correlated("corr-1", partner="emsp"):
        await asyncio.create_task(child())
        logging.getLogger("lib").warning("library")
    logs.get("x").info("outside")
    inside, library, outside = lines()
    assert inside["correlation_id"] == library["correlation_id"] == "corr-1"
    assert inside["partner"] == "emsp"
    assert "correlation_id" not in outside


def test_a_stream_that_is_gone_does_not_hurt_who_logs():
    stream = io.BytesIO()
    logs.setup("info", "json", stream)
    stream.close()
    logs.get("x").info("into the void")

    class Full(io.RawIOBase):
        def write(self, data):
            raise OSError(28, "No space left on device")

    logs.setup("info", "json", Full())
    logs.get("x").info("no room")


def test_the_console_form_shows_control_characters_and_obeys_none():
    stream = io.BytesIO()
    logs.setup("info", "console", stream)
    logs.get("x").info("station says \x1b[2J\r\nGET / 200", vendor="ACME\x07\x9b31m")
    text = stream.getvalue().decode()
    assert "\\x1b[2J\\x0d\\x0aGET" in text
    assert "\x07" not in text
    assert "\x9b" not in text


def test_json_is_chosen_where_nobody_watches():
    lines = started(form="auto")
    logs.get("x").info("in a pipe")
    assert lines()[0]["event"] == "in a pipe"


def test_warnings_of_python_become_lines():
    lines = started()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("old ways", UserWarning, stacklevel=1)
    assert "old ways" in lines()[0]["event"]
