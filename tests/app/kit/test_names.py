"""Names of the house are UUIDs that sort by the time they were made, and never come twice."""

import time
from uuid import RFC_4122, UUID

from app.kit.names import new_name


def test_a_name_is_a_uuid_of_version_7_made_now() -> None:
    before = time.time_ns() // 1_000_000
    made = UUID(name := new_name())
    after = time.time_ns() // 1_000_000
    assert str(made) == name
    assert (made.version, made.variant) == (7, RFC_4122)
    assert before <= made.int >> 80 <= after


def test_later_names_sort_after_earlier_ones() -> None:
    earlier = new_name()
    time.sleep(0.002)
    assert earlier < new_name()


def test_no_name_comes_twice() -> None:
    assert len({new_name() for _ in range(20_000)}) == 20_000
