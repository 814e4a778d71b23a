"""Envelopes written for callers, and the answers partners really give."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ocpi import errors
from ocpi.envelope import ABSENT, data_of, failure, page, read_envelope, require_success, success
from ocpi.errors import Nonsense, PartnerNonsense, PartnerRefused

NOW = datetime(2026, 3, 1, 10, 0, 0, 250_000, tzinfo=UTC)


def test_success_without_data_has_no_data() -> None:
    assert json.loads(success(now=NOW)) == {"status_code": 1000, "timestamp": "2026-03-01T10:00:00.250Z"}


def test_success_takes_rendered_json_and_plain_values() -> None:
    assert json.loads(success(b'{"a": [1]}', now=NOW))["data"] == {"a": [1]}
    assert b'"data":{"price":0.1}' in success({"price": Decimal("0.1")}, now=NOW)
    assert json.loads(success([], now=NOW))["data"] == []


def test_failure_carries_code_and_words() -> None:
    written = json.loads(
        failure(errors.UnknownLocationError("no such location"), now=NOW, data={"result": "REJECTED"})
    )
    assert written == {
        "data": {"result": "REJECTED"},
        "status_code": 2003,
        "status_message": "no such location",
        "timestamp": "2026-03-01T10:00:00.250Z",
    }


def test_failure_survives_words_that_cannot_be_written() -> None:
    written = json.loads(failure(errors.InvalidParameterError("\ud800" + "x" * 5000), now=NOW))
    assert len(written["status_message"]) == 500


def test_a_page_joins_rendered_objects() -> None:
    assert json.loads(page([b'{"id":"1"}', b'{"id":"2"}'], now=NOW))["data"] == [{"id": "1"}, {"id": "2"}]
    assert json.loads(page([], now=NOW)) == {
        "data": [],
        "status_code": 1000,
        "timestamp": "2026-03-01T10:00:00.250Z",
    }


@pytest.mark.parametrize(
    ("error", "status_code", "http_status"),
    [
        (errors.ClientError, 2000, 200),
        (errors.InvalidParameterError, 2001, 200),
        (errors.NotEnoughInformationError, 2002, 200),
        (errors.UnknownLocationError, 2003, 200),
        (errors.UnknownTokenError, 2004, 404),
        (errors.MalformedBodyError, 2001, 400),
        (errors.UnauthorizedError, 2000, 401),
        (errors.NotFoundError, 2000, 404),
        (errors.MethodNotAllowedError, 2000, 405),
        (errors.ServerError, 3000, 200),
        (errors.CannotUseClientApiError, 3001, 200),
        (errors.UnsupportedVersionError, 3002, 200),
        (errors.MissingEndpointsError, 3003, 200),
        (errors.HubError, 4000, 200),
        (errors.UnknownReceiverError, 4001, 200),
        (errors.ForwardTimeoutError, 4002, 200),
        (errors.ReceiverNotConnectedError, 4003, 200),
    ],
)
def test_each_error_has_its_codes(error: type[errors.OcpiError], status_code: int, http_status: int) -> None:
    raised = error("why")
    assert (raised.status_code, raised.http_status, str(raised)) == (status_code, http_status, "why")


def test_the_http_status_of_an_error_can_be_chosen() -> None:
    assert errors.UnknownLocationError("why", http_status=404).http_status == 404


def test_data_of_a_good_answer() -> None:
    assert data_of(read_envelope(200, success([1], now=NOW))) == [1]
    assert data_of(read_envelope(201, b'{"status_code": 1001, "data": {}}')) == {}
    assert read_envelope(200, b'{"status_code": "1000"}').succeeded


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", Nonsense.EMPTY),
        (b" \n", Nonsense.EMPTY),
        (b"<!doctype html><p>OK", Nonsense.HTML),
        (b"OK", Nonsense.NOT_JSON),
        (b'{"status_code": 1000', Nonsense.NOT_JSON),
        (b'{"status_code": 1000, "data": "\\u0000"}', Nonsense.NOT_JSON),
        (b"[]", Nonsense.NO_ENVELOPE),
        (b"{}", Nonsense.NO_ENVELOPE),
        (b'{"status_code": null}', Nonsense.NO_ENVELOPE),
        (b'{"status_code": true}', Nonsense.NO_ENVELOPE),
        (b'{"status_code": "good"}', Nonsense.NO_ENVELOPE),
    ],
)
def test_an_answer_that_is_not_ocpi_is_nonsense(body: bytes, kind: Nonsense) -> None:
    with pytest.raises(PartnerNonsense) as failed:
        read_envelope(200, body)
    assert (failed.value.kind, failed.value.http_status) == (kind, 200)
    assert read_envelope(503, body).status_code is None


def test_no_data_where_data_is_needed_is_nonsense() -> None:
    answer = read_envelope(200, b'{"status_code": 1000, "data": null}')
    assert answer.data is ABSENT
    require_success(answer)
    with pytest.raises(PartnerNonsense) as failed:
        data_of(answer)
    assert failed.value.kind is Nonsense.NO_DATA


@pytest.mark.parametrize(
    ("http_status", "body", "status_code"),
    [
        (200, b'{"status_code": 2001, "status_message": "no"}', 2001),
        (200, b'{"status_code": 3000}', 3000),
        (404, b'{"status_code": 2003}', 2003),
        (500, b'{"status_code": 1000, "data": []}', 1000),
        (401, b"", None),
        (502, b"<html>Bad Gateway</html>", None),
    ],
)
def test_an_answer_that_is_no_success_is_refused(
    http_status: int, body: bytes, status_code: int | None
) -> None:
    with pytest.raises(PartnerRefused) as refused:
        data_of(read_envelope(http_status, body))
    assert (refused.value.http_status, refused.value.status_code) == (http_status, status_code)
