"""The real program, for one test alone."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.flows.house import House


@pytest.fixture
async def own_house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """Started and ready; what it logged is looked at afterwards."""
    house = House(database_url, tmp_path)
    await asyncio.to_thread(house.start)
    await house.admin.open()
    yield house
    await house.admin.close()
    await asyncio.to_thread(house.end)
    house.check_log()
