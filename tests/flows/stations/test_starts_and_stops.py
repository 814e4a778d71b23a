"""Where a start or a stop goes wrong and money would be lost: sent again, unknown, too late, or never."""

from datetime import timedelta

import pytest

from tests.flows.site import give_own_token, set_up
from tests.flows.station import ago, connected, sample, wire


async def test_row_1_a_start_sent_again_with_another_message_id_on_another_socket_is_one_transaction(house):
    site = await set_up(house)
    began = ago(minutes=3)
    numbers = set()
    for _ in range(2):
        async with connected(house, site.station) as station:
            numbers |= {await station.start_charging(site.tag, began, 10) for _ in range(3)}
    assert len(numbers) == 1
    assert len(await house.admin.all("transactions", station=site.station)) == 1


async def test_row_2_a_start_sent_again_gets_its_first_answer_even_if_the_card_is_blocked_now(house):
    site = await set_up(house)
    began = ago(minutes=3)
    async with connected(house, site.station) as station:
        first = await station.begin(site.tag, began, 10)
        await give_own_token(house, site.tag, valid=False)
        again = await station.begin(site.tag, began, 10)
        assert again == first
        assert again.id_tag_info["status"] == "Accepted"
        await station.end(first.transaction_id, ago(minutes=1), 1010, site.tag)
        assert await station.begin(site.tag, began, 10) == first
    assert len(await house.admin.all("transactions", station=site.station)) == 1


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        (None, "Invalid"),
        ({"valid": False}, "Blocked"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "Expired"),
    ],
    ids=["unknown", "blocked", "expired"],
)
async def test_row_3_energy_of_a_card_that_is_not_let_in_is_kept_and_its_record_held(house, changes, verdict):
    site = await set_up(house)
    tag = f"X{site.tag}"
    if changes is not None:
        await give_own_token(house, tag, **changes)
    async with connected(house, site.station) as station:
        answer = await station.begin(tag, ago(hours=3), 0)
        assert answer.id_tag_info["status"] == verdict
        assert answer.transaction_id > 0
        await station.end(answer.transaction_id, ago(hours=2), 7000, tag)
    cdr = await house.admin.cdr(site.station)
    assert (cdr["state"], cdr["reason"], cdr["total_energy"]) == ("held", "token_invalid", 7)


async def test_row_5_a_stop_is_answered_only_when_its_record_can_be_seen(house):
    site = await set_up(house)
    async with connected(house, site.station) as station:
        for minutes in (9, 7, 5, 3):
            number = await station.start_charging(site.tag, ago(minutes=minutes), 0)
            await station.end(number, ago(minutes=minutes - 1), 100, site.tag)
            billed = await house.admin.cdrs(site.station)
            assert (await house.admin.transaction(site.station, number))["cdr_id"] == billed[-1]["id"]


GARBAGE = [
    {},
    [],
    None,
    {"transactionId": "abc", "meterStop": [], "timestamp": {}},
    {"transactionId": 2**70, "meterStop": 10**40, "timestamp": "yesterday"},
    {"transactionId": 1.5, "meterStop": "NaN", "timestamp": "222222017-10-27T12:00:00Z"},
    {
        "transactionId": 5,
        "meterStop": 1,
        "timestamp": "2026-01-01T00:00:00Z",
        "reason": 7,
        "transactionData": "x",
    },
    {"transactionId": 5, "meterStop": 1, "timestamp": "2026-01-01T00:00:00Z", "idTag": "\u0000\ud800"},
]


@pytest.mark.parametrize(
    "payload", GARBAGE, ids=lambda value: str(value)[:40].encode("ascii", "replace").decode()
)
async def test_row_6_a_stop_is_never_refused_whatever_it_says_and_its_frame_is_kept(house, payload):
    site = await set_up(house)
    async with wire(house, site.station) as station:
        assert isinstance(await station.call("StopTransaction", payload), dict)
        assert await station.alive()
    kept = next(
        each for each in await house.admin.frames(site.station) if each["action"] == "StopTransaction"
    )
    assert kept["outcome"] == "result"
    assert "StopTransaction" in kept["text"]


@pytest.mark.parametrize("number", [0, -1, -1_733_221_004, 99_999_999])
async def test_row_7_a_stop_with_a_number_nobody_gave_ends_the_only_session_it_can_mean(
    house, partner, number
):
    site = await set_up(house, partner)
    began = ago(minutes=30)
    async with connected(house, site.station) as station:
        given = await station.start_charging(site.tag, began, 500)
        await station.end(number, began + timedelta(minutes=20), 4500, site.tag)
    transaction = await house.admin.transaction(site.station, given)
    cdr = await partner.cdr(transaction["session_id"])
    assert cdr["total_energy"] == 4


async def test_row_7_a_stop_that_could_mean_two_sessions_waits_for_a_person(house):
    site = await set_up(house, sockets=2)
    began = ago(minutes=30)
    async with connected(house, site.station) as station:
        for connector in (1, 2):
            await station.start_charging(site.tag, began, 500, connector)
        for _ in range(2):
            await station.end(-1, began + timedelta(minutes=20), 4500, site.tag)
    orphans = [
        each
        for each in await house.admin.all("transactions", station=site.station)
        if "orphan" in each["flags"]
    ]
    assert [each["meter_stop"] for each in orphans] == [4500]
    assert len(await house.admin.all("transactions", station=site.station, active=True)) == 2
    assert await house.admin.cdrs(site.station) == []


async def test_row_8_the_first_stop_stands_whatever_a_second_one_says(house, partner):
    site = await set_up(house, partner)
    began = ago(minutes=30)
    async with connected(house, site.station) as station:
        number = await station.start_charging(site.tag, began, 0)
        for energy in (3000, 3000, 9000):
            await station.end(number, began + timedelta(minutes=20), energy, site.tag)
    session_id = (await house.admin.transaction(site.station, number))["session_id"]
    assert (await partner.cdr(session_id))["total_energy"] == 3
    assert len(await house.admin.cdrs(site.station)) == 1
    assert len(partner.messages("cdrs", session_id)) == 1
    newest = (await house.admin.frames(site.station))[0]
    assert newest["deviations"] == ["a second stop with another meter reading: the first stands"]


async def test_row_9_meter_values_after_the_stop_are_kept_and_change_no_bill(house, partner):
    site = await set_up(house, partner)
    began = ago(minutes=30)
    async with connected(house, site.station) as station:
        number = await station.start_charging(site.tag, began, 0)
        await station.end(number, began + timedelta(minutes=20), 3000, site.tag)
        session_id = (await house.admin.transaction(site.station, number))["session_id"]
        before = await partner.cdr(session_id)
        await station.meter(number, sample(began + timedelta(minutes=10), 2000))
        await station.meter(number, sample(began + timedelta(minutes=25), 9000))
    assert partner.cdrs(session_id) == [before]
    assert (await house.admin.cdr(site.station))["total_energy"] == 3
    kept = [each for each in await house.admin.frames(site.station) if each["action"] == "MeterValues"]
    assert [each["outcome"] for each in kept] == ["result", "result"]


async def test_row_19_a_new_car_at_the_connector_ends_a_session_whose_stop_never_came(house, partner):
    site = await set_up(house, partner)
    began = ago(hours=5)
    async with connected(house, site.station) as station:
        lost = await station.start_charging(site.tag, began, 0)
        await station.meter(lost, sample(began + timedelta(hours=1), 6000))
        await station.start_charging(site.tag, ago(hours=1), 8000)
        held = await house.admin.cdr(site.station)
        assert (held["state"], held["reason"], held["total_energy"]) == ("held", "no_stop", 6)
        assert "no_stop" in (await house.admin.transaction(site.station, lost))["flags"]

        # The stop comes after all: it knows better than our estimate.
        await station.end(lost, began + timedelta(hours=2), 7500, site.tag)
        session_id = (await house.admin.transaction(site.station, lost))["session_id"]
        cdr = await partner.cdr(session_id)
        assert (cdr["id"], cdr["total_energy"], cdr["total_time"]) == (held["id"], 7.5, 2)


async def test_row_19_an_operator_ends_by_hand_what_a_station_forgot(house, partner):
    site = await set_up(house, partner)
    began = ago(hours=5)
    async with connected(house, site.station) as station:
        number = await station.start_charging(site.tag, began, 0)
        await station.meter(number, sample(began + timedelta(hours=1), 6000))
    open_one = await house.admin.transaction(site.station, number)
    closed = await house.admin.post(f"transactions/{open_one['ref']}/close")
    assert "closed_by_hand" in closed["flags"]
    assert (await partner.cdr(closed["session_id"]))["total_energy"] == 6


async def test_row_30_a_station_cannot_stop_the_session_of_another_by_its_number(house):
    site, thief = await set_up(house), await set_up(house)
    async with connected(house, site.station) as station, connected(house, thief.station) as other:
        number = await station.start_charging(site.tag, ago(minutes=20), 0)
        await other.end(number, ago(minutes=1), 1, thief.tag)
    assert (await house.admin.transaction(site.station, number))["stopped_at"] is None
    orphan = await house.admin.transaction(thief.station, number)
    assert orphan["flags"] == ["orphan"]


async def test_row_30_numbers_are_positive_and_no_two_are_the_same(house):
    sites = [await set_up(house) for _ in range(3)]
    numbers = []
    for site in sites:
        async with connected(house, site.station) as station:
            numbers += [
                (await station.begin("NOBODY", ago(minutes=60 - n), n)).transaction_id for n in range(8)
            ]
    assert len(set(numbers)) == len(numbers)
    assert all(0 < number < 2**31 for number in numbers)


async def test_row_30_a_station_that_did_not_boot_is_heard_all_the_same(house):
    site = await set_up(house)
    async with connected(house, site.station) as station:
        number = await station.start_charging(site.tag, ago(hours=2), 0)
        await station.end(number, ago(hours=1), 2500, site.tag)
    assert (await house.admin.cdr(site.station))["state"] == "issued"
