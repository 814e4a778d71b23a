"""A seeded crash loop: stations that never rest, a partner that stumbles, and kill -9 again and again.

CRASH_LOOP_SEED and CRASH_LOOP_KILLS in the environment make it another or a longer one.
"""

import asyncio
import os
import random

import pytest

from ocpi.modules import ModuleId
from ocpi.simulator import Fault, FaultKind
from tests.flows.histories import Double, check_records, check_sessions, check_starts
from tests.flows.house import until
from tests.flows.site import set_up

SEED = int(os.environ.get("CRASH_LOOP_SEED", "20261120"))
KILLS = int(os.environ.get("CRASH_LOOP_KILLS", "5"))
STATIONS = 5
MEAN_MESSAGES = 35
STUMBLES = [
    FaultKind.OK,
    FaultKind.OK,
    FaultKind.RESET_AFTER_STORE,
    FaultKind.HTTP_500,
    Fault(FaultKind.SLOW, 0.3),
    FaultKind.HTML_200,
    FaultKind.EMPTY_200,
]


@pytest.mark.timeout(180 + 30 * KILLS)
async def test_whatever_is_killed_every_acknowledged_stop_is_one_record(house, partner):
    dice = random.Random(SEED)
    doubles = [Double(house, await set_up(house, partner), dice.randrange(2**32)) for _ in range(STATIONS)]
    partner.faults.next(*dice.choices(STUMBLES, k=80 * KILLS), module="cdrs")
    partner.faults.next(*dice.choices(STUMBLES, k=80 * KILLS), module="sessions")
    running = [asyncio.create_task(double.run()) for double in doubles]

    def said():
        return sum(double.messages for double in doubles)

    for _ in range(KILLS):
        target = said() + max(5, round(dice.expovariate(1 / MEAN_MESSAGES)))
        await until(lambda target=target: said() >= target or any(task.done() for task in running), 60)
        await house.restart()
    for double in doubles:
        double.closing = True
    await asyncio.wait_for(asyncio.gather(*running), 60)
    # Calm: no faults any more. On PostgreSQL a lease of the killed process has to run out first.
    await partner.catch_up(house, 75)

    assert sum(sale.stopped for double in doubles for sale in double.sold) >= STATIONS
    check_starts(doubles)
    check_records(doubles, partner)
    check_sessions(doubles, partner)
    for module, pushed in (
        (ModuleId.CDRS, partner.ledger.cdrs),
        (ModuleId.SESSIONS, partner.ledger.sessions),
    ):
        pulled = await partner.pull(module)
        told = {object_id: each.to_wire() for object_id, each in list(pushed.items())}
        assert _of(doubles, pulled) == _of(doubles, told)


def _of(doubles, objects):
    """Only what these stations sold: the house serves other tests, and other partners, too."""
    tags = {double.site.tag for double in doubles}
    return {name: each for name, each in objects.items() if each["cdr_token"]["uid"] in tags}
