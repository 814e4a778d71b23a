"""Choosing a version, and which modules are routed."""

import pytest

from ocpi.modules import ModuleId
from ocpi.versions import RULES, Version, newest_mutual


@pytest.mark.parametrize(
    ("theirs", "chosen"),
    [
        (["2.1.1", "2.2.1"], Version.V2_2_1),
        (["2.3.0", " 2.2.1 "], Version.V2_2_1),
        (["2.1.1", "2.2"], None),
        ([], None),
    ],
)
def test_the_newest_version_of_both_sides_is_chosen(theirs: list[str], chosen: Version | None) -> None:
    assert newest_mutual(theirs) is chosen


def test_every_version_has_rules() -> None:
    assert set(RULES) == set(Version)


def test_configuration_modules_are_never_routed() -> None:
    assert [module for module in ModuleId if not module.routed] == [
        ModuleId.CREDENTIALS,
        ModuleId.HUB_CLIENT_INFO,
    ]
