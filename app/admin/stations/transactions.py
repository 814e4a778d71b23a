"""OCPP transactions, and closing one by hand."""

import asyncio
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from app.admin.answers import LIST, answer, exact_number, page_answer, time_or_none
from app.admin.context import AdminContext, Context
from app.admin.requests import Paging, Plain
from app.domain.transactions import Transaction
from app.services import charging
from app.store import transactions
from app.store.transactions import StoredSample

router = APIRouter(prefix="/transactions", tags=["transactions"], dependencies=[Plain])


@router.get("", summary="Transactions, newest first", responses=LIST)
async def list_transactions(
    context: Context,
    page: Paging,
    station: Annotated[str | None, Query(description="id of a station")] = None,
    id_tag: str | None = None,
    active: bool | None = None,
) -> Response:
    """By the moment we heard of them."""
    async with context.store.reading() as session:
        found, total = await transactions.find(
            session,
            station_id=station,
            id_tag=id_tag,
            active=active,
            limit=page.limit,
            offset=page.offset,
        )
    return page_answer([transaction_body(each, context) for each in found], total)


@router.get("/{ref}", summary="One transaction")
async def get_transaction(ref: str, context: Context) -> Response:
    """Energy in Wh; of one under way, as last metered."""
    return answer(transaction_body(await charging.transaction(context.store, ref), context))


@router.get("/{ref}/samples", summary="What was metered in a transaction, oldest first", responses=LIST)
async def list_samples(ref: str, context: Context) -> Response:
    """Energy (the meter's register, Wh), power (kW), current (A) and state of charge (%), as far as the station tells."""
    await charging.transaction(context.store, ref)
    async with context.store.reading() as session:
        found = await transactions.samples_of(session, ref)
    return page_answer([_sample(each) for each in found], len(found))


@router.post("/{ref}/close", summary="End a transaction by hand, from its last good reading")
async def close_transaction(ref: str, context: Context) -> Response:
    """For a stop that never comes. Its CDR is made at once."""
    closed = await charging.close(context.store, context.intake, ref)
    return answer(transaction_body(closed, context))


@router.post("/{ref}/stop", summary="Ask the station to end a transaction")
async def stop_remotely(ref: str, context: Context) -> Response:
    """`result` in OCPI's CommandResult words. 409: not connected, or ended already."""
    command_id, result = await asyncio.shield(context.wishes.stop_here(ref))
    return answer({"command_id": command_id, "result": str(result)})


def transaction_body(transaction: Transaction, context: AdminContext) -> dict[str, Any]:
    """A transaction for the operator's eyes."""
    return {
        "ref": transaction.ref,
        "station": transaction.station_id,
        "ocpp_transaction_id": transaction.ocpp_id,
        "id_tag": transaction.id_tag,
        "evse": transaction.evse,
        # OCPP 1.6 knows no EVSE: its connector n is our EVSE n.
        "connector": transaction.evse,
        "started_at": time_or_none(transaction.started_at),
        "stopped_at": time_or_none(transaction.stopped_at),
        "received_at": time_or_none(transaction.received_at),
        "meter_start": exact_number(transaction.meter_start),
        "meter_stop": exact_number(transaction.meter_stop),
        "stop_reason": transaction.stop_reason,
        "energy_wh": exact_number(_energy(transaction, context)),
        "session_id": transaction.session_id,
        "cdr_id": transaction.cdr_id,
        "interruptions": [
            {"from": time_or_none(each.since), "to": time_or_none(each.until), "cause": str(each.cause)}
            for each in transaction.interruptions
        ],
        "flags": transaction.flags,
    }


def _sample(sample: StoredSample) -> dict[str, Any]:
    reading = sample.reading
    return {
        "at": time_or_none(sample.at),
        "register_wh": exact_number(reading.register_wh),
        "interval_wh": exact_number(reading.interval_wh),
        "power_kw": exact_number(reading.power_kw),
        "current_a": exact_number(reading.current_a),
        "soc": exact_number(reading.soc),
    }


def _energy(transaction: Transaction, context: AdminContext) -> Decimal | None:
    """Energy at the end; of a transaction under way what its register says, if this process follows it."""
    if not transaction.active:
        return transaction.energy_wh
    state = context.intake.state(transaction.station_id)
    running = state.running.get(transaction.ocpp_id) if state else None
    if running is None or running.transaction.ref != transaction.ref:
        return transaction.energy_wh
    return running.register.energy_wh
