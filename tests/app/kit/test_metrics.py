"""The metrics that dashboards rely on exist under their names and labels."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.kit import metrics

NAMES = {
    "voltbridge_stations_online": metrics.STATIONS_ONLINE,
    "voltbridge_ocpp_messages_total": metrics.OCPP_MESSAGES.labels("Heartbeat", "in", "result"),
    "voltbridge_ocpp_handling_seconds_count": metrics.OCPP_HANDLING,
    "voltbridge_commit_batch_size_count": metrics.COMMIT_BATCH_SIZE,
    "voltbridge_transactions_active": metrics.TRANSACTIONS_ACTIVE,
    "voltbridge_outbox_depth": metrics.OUTBOX_DEPTH.labels(partner="emsp"),
    "voltbridge_outbox_oldest_seconds": metrics.OUTBOX_OLDEST.labels(partner="emsp"),
    "voltbridge_deliveries_total": metrics.DELIVERIES.labels(partner="emsp", outcome="delivered"),
    "voltbridge_routed_total": metrics.ROUTED.labels(reason="to", outcome="ok"),
    "voltbridge_cdrs_total": metrics.CDRS.labels(state="issued"),
}


def samples():
    families = text_string_to_metric_families(metrics.render().decode())
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for f in families for s in f.samples}


@pytest.mark.parametrize("name", NAMES)
def test_a_metric_is_exposed_and_moves(name):
    metric = NAMES[name]
    before = {key: value for key, value in samples().items() if key[0] == name}
    if hasattr(metric, "observe"):
        metric.observe(1)
    else:
        metric.inc()
    after = {key: value for key, value in samples().items() if key[0] == name}
    assert before.keys() == after.keys() != set()
    assert sum(after.values()) == sum(before.values()) + 1


def test_counters_carry_no_second_series_that_tells_when_they_were_made():
    assert b"_created" not in metrics.render()


def test_values_of_a_batch_count_as_if_observed_one_by_one():
    one, together = (metrics.BatchHistogram(name, "x", buckets=(0.1, 1, 2), registry=None) for name in "ab")
    values = [0.05, 0.1, 0.5, 1.0, 1.5, 7.0]
    for value in values:
        one.observe(value)
    together.observe_all(values)
    kept = [
        [(s.name[1:], s.labels, s.value) for m in h.collect() for s in m.samples] for h in (one, together)
    ]
    assert kept[0] == kept[1]
    assert ("_count", {}, float(len(values))) in kept[0]
