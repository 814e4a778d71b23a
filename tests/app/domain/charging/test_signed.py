"""Signed meter values in the two ways in which stations write them, and what of them a CDR has room for."""

import base64
import json

import pytest

from app.domain.charging.signed import signed_value
from app.domain.metering import SampledValue

OCMF = 'OCMF|{"FV":"1.0","RD":[{"RV":1.5}]}|{"SD":"3045"}'
PLAIN = '{"FV":"1.0","RD":[{"RV":1.5}]}'


def value(text, context="Transaction.End"):
    return SampledValue(value=text, signed=True, context=context)


def wrapped(data, **more):
    return json.dumps({"signedMeterData": data, "encodingMethod": "OCMF", "publicKey": "KEY="} | more)


def b64(text):
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


def test_the_text_itself():
    signed = signed_value(value(OCMF))
    assert (signed.nature, signed.plain_data, signed.signed_data) == ("End", PLAIN, OCMF)
    assert (signed.encoding_method, signed.public_key) == ("OCMF", None)


def test_wrapped_with_its_key_it_stays_as_it_was_signed():
    signed = signed_value(value(wrapped(b64(OCMF)), "Transaction.Begin"))
    assert (signed.nature, signed.plain_data, signed.signed_data) == ("Start", PLAIN, b64(OCMF))
    assert (signed.encoding_method, signed.public_key) == ("OCMF", "KEY=")


@pytest.mark.parametrize("data", [b64(b"\xff\xfe\x00\x80"), b64("a\0b"), "no base64!"])
def test_what_is_no_text_inside_is_told_as_it_came(data):
    signed = signed_value(value(wrapped(data, encodingMethod="EDL", publicKey="")))
    assert (signed.plain_data, signed.signed_data) == (data, data)
    assert (signed.encoding_method, signed.public_key) == ("EDL", None)


@pytest.mark.parametrize("text", ["<signed/>", '{"other": 1}', '{"signedMeterData": 5}', "{", '"x"'])
def test_anything_else_is_told_as_it_came(text):
    signed = signed_value(value(text, "Sample.Periodic"))
    assert (signed.nature, signed.plain_data, signed.signed_data) == ("Intermediate", text, text)
    assert (signed.encoding_method, signed.public_key) == ("unknown", None)


def test_what_a_cdr_has_no_room_for():
    assert signed_value(value("x" * 5001)) is None
    assert signed_value(value(wrapped("x" * 5001))) is None
    # The wrapping does not count: only what is signed travels.
    assert signed_value(value(wrapped("x" * 5000))) is not None
    long = signed_value(value(wrapped("data", encodingMethod="m" * 37, publicKey="k" * 513)))
    assert (long.encoding_method, long.public_key) == ("unknown", None)
