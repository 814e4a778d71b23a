"""The admin API called in-process: the same answers, the same refusals, by the same gate."""

from decimal import Decimal

import pytest

from app.admin.console.asking import Api, Refusal


@pytest.fixture
def asked(house, site):
    return Api.of(house.context())


async def test_answers_are_those_of_the_api(asked, api):
    assert await asked.get("/stations/CP1") == (await api.get("/stations/CP1")).json()
    found, total = await asked.page("/stations", limit=1, state="accepted", location=None)
    assert ([each["id"] for each in found], total) == (["CP1"], 1)


async def test_fractions_keep_their_digits(asked):
    tariff = await asked.get("/tariffs/T1")
    assert tariff["elements"][0]["price_components"][0]["price"] == Decimal("0.25")
    assert await asked.put("/tariffs/T1", {name: tariff[name] for name in ("currency", "elements")})


async def test_a_refusal_says_what_why_and_its_code(asked):
    with pytest.raises(Refusal) as refused:
        await asked.get("/stations/NOBODY")
    assert (refused.value.status, refused.value.title) == (404, "Not Found")
    with pytest.raises(Refusal) as refused:
        await asked.put("/stations/CP2", {"security_profile": 9})
    assert refused.value.status == 422
    assert refused.value.errors[0]["field"] == "security_profile"
    await asked.delete("/tokens/CARD1")
    with pytest.raises(Refusal):
        await asked.get("/tokens/CARD1")


async def test_names_with_odd_signs_arrive_as_they_are(asked):
    await asked.put("/stations/A%41?x=#1", {})
    assert (await asked.get("/stations/A%41?x=#1"))["id"] == "A%41?x=#1"


async def test_the_admin_token_of_people_does_not_open_it_and_its_own_opens_nothing_else(house, api):
    inside = Api.of(house.context())
    outside = Api(house.app, "guess")
    assert (await inside.page("/stations"))[1] >= 0
    with pytest.raises(Refusal) as refused:
        await outside.get("/stations")
    assert refused.value.status == 401
