"""Every metric the house exposes, named in this one place, and the text that Prometheus reads."""

from bisect import bisect_left
from collections import Counter as Tally
from collections.abc import Sequence

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

CONTENT_TYPE = CONTENT_TYPE_LATEST

# A second series per counter that only tells when it was made would double the page.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library left this one untyped

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)


class BatchHistogram(Histogram):
    """A histogram that also takes the values of a whole batch, at about the price of one."""

    def observe_all(self, values: Sequence[float]) -> None:
        """Each value counts as if it had been observed alone."""
        places = Tally(bisect_left(self._upper_bounds, value) for value in values)
        for place, times in places.items():
            self._buckets[place].inc(times)
        self._sum.inc(sum(values))


STATIONS_ONLINE = Gauge("voltbridge_stations_online", "Stations connected to this process", registry=REGISTRY)
OCPP_MESSAGES = Counter(
    "voltbridge_ocpp_messages_total",
    "OCPP calls handled, by action, direction (in, out) and outcome",
    ["action", "direction", "outcome"],
    registry=REGISTRY,
)
OCPP_HANDLING = BatchHistogram(
    "voltbridge_ocpp_handling_seconds",
    "From the receipt of a station's call to its answer, commit included",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=REGISTRY,
)
COMMIT_BATCH_SIZE = Histogram(
    "voltbridge_commit_batch_size",
    "Station messages that shared one commit",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000),
    registry=REGISTRY,
)
TRANSACTIONS_ACTIVE = Gauge(
    "voltbridge_transactions_active", "Transactions that have begun and not ended", registry=REGISTRY
)
OUTBOX_DEPTH = Gauge(
    "voltbridge_outbox_depth", "Deliveries not yet confirmed, by partner", ["partner"], registry=REGISTRY
)
OUTBOX_OLDEST = Gauge(
    "voltbridge_outbox_oldest_seconds",
    "Age of the oldest delivery not yet confirmed, by partner",
    ["partner"],
    registry=REGISTRY,
)
DELIVERIES = Counter(
    "voltbridge_deliveries_total",
    "Attempts to deliver to partners, by partner and outcome",
    ["partner", "outcome"],
    registry=REGISTRY,
)
ROUTED = Counter(
    "voltbridge_routed_total",
    "Requests the hub passed on, by reason and outcome",
    ["reason", "outcome"],
    registry=REGISTRY,
)
LIMITED = Counter(
    "voltbridge_limited_total",
    "Requests refused with 429, by partner and limit",
    ["partner", "limit"],
    registry=REGISTRY,
)
CDRS = Counter("voltbridge_cdrs_total", "Charge detail records made, by state", ["state"], registry=REGISTRY)


def render() -> bytes:
    """All metrics as Prometheus text; its media type is CONTENT_TYPE."""
    return generate_latest(REGISTRY)
