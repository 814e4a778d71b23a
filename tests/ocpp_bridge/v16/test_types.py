"""The strict types against the official schemas: jsonschema is the referee."""

import json
import random
from typing import Any

import msgspec
import pytest
from jsonschema import Draft6Validator

from ocpp_bridge.v16.meter_values import samples
from ocpp_bridge.v16.schemas import ACTIONS, FROM_STATION, schema
from ocpp_bridge.v16.types import strict

FLAT = sorted((FROM_STATION | {"DataTransfer"}) - {"MeterValues", "StopTransaction"})
MUTATIONS: list[Any] = [None, True, 17, 17.5, 1000.0, "", "x" * 21, "x" * 300, "17", [], {}, -1, 2**70]


def _valid(rules: dict[str, Any], pick: random.Random) -> dict[str, Any]:
    payload = {}
    for name, given in rules["properties"].items():
        if name not in rules.get("required", ()) and pick.random() < 0.5:
            continue
        rule = rules["definitions"][given["$ref"].split("/")[-1]] if "$ref" in given else given
        if "enum" in rule:
            payload[name] = pick.choice(rule["enum"])
        elif rule["type"] == "integer":
            payload[name] = pick.randrange(1000)
        else:
            payload[name] = "2026-11-20T10:00:00Z"[: rule.get("maxLength", 99)]
    return payload


@pytest.mark.parametrize("action", FLAT)
def test_strict_types_take_what_the_schema_takes_and_nothing_else(action: str) -> None:
    pick = random.Random(action)
    rules = schema(action)
    referee = Draft6Validator(rules)
    for _ in range(400):
        payload = _valid(rules, pick)
        if pick.random() < 0.8:
            name = pick.choice([*rules["properties"], "unknown"])
            if pick.random() < 0.3:
                payload.pop(name, None)
            else:
                payload[name] = pick.choice(MUTATIONS)
        allowed = referee.is_valid(payload)
        if any(isinstance(value, float) or value == 2**70 for value in payload.values()):
            continue  # 1000.0 is an integer to JSON Schema, and 2**70 is one; we read both with a note
        try:
            strict(action).decode(json.dumps(payload))
        except msgspec.ValidationError:
            assert not allowed, payload
        else:
            assert allowed, payload


def test_sampled_values_take_what_the_schema_takes() -> None:
    rules = schema("MeterValues")["properties"]["meterValue"]
    referee = Draft6Validator(rules)
    pick = random.Random(7)
    fields = rules["items"]["properties"]["sampledValue"]["items"]["properties"]
    for _ in range(600):
        sampled = {name: pick.choice(rule.get("enum", ["17"])) for name, rule in fields.items()}
        for name in pick.sample(sorted(fields), pick.randrange(len(fields))):
            sampled.pop(name)
        sampled.setdefault("value", "1")
        if pick.random() < 0.5:
            sampled[pick.choice([*fields, "unknown"])] = pick.choice(MUTATIONS)
        series = [{"timestamp": "2026-11-20T10:00:00Z", "sampledValue": [sampled]}]
        notes: list[str] = []
        read = samples(msgspec.Raw(json.dumps(series).encode()), notes)
        assert (notes == []) == referee.is_valid(series), series
        assert read[0].document == json.dumps([sampled])


def test_every_action_of_1_6_has_its_schema() -> None:
    assert len(ACTIONS) == 39
    assert all("properties" in schema(action) or schema(action)["type"] == "object" for action in ACTIONS)
