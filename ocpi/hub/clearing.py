"""Clearing on the way: a CDR is read, held against those before it, and passed on, or refused with the reason.

There is no hold: what the receiver took was delivered at that moment, and what was refused the CPO corrects and posts
again. The bytes are passed on untouched.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from app.domain.parties import Party
from app.domain.records.clearing import Bill, Finding, Rule, allowed, findings, strictest
from app.domain.verification import Verdict
from app.kit.names import new_name
from app.store.database.unit_of_work import UnitOfWork
from app.store.hub import clearing as rows
from app.store.hub.clearing import HubCdrRow
from ocpi.errors import InvalidParameterError, OcpiError
from ocpi.headers import RoutedParty
from ocpi.hub import records
from ocpi.hub.forward import Passed, Passing
from ocpi.hub.hub import Hub
from ocpi.hub.routing import Message
from ocpi.hub.told import told_of
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.strict_json import parse_body

Send = Callable[[], Awaitable[Passed]]


def is_record(message: Message) -> bool:
    """Whether a message brings a CDR, the one routed body that is read (OCPI 2.2.1 mod_cdrs, POST)."""
    kind = message.module, message.role, message.method, message.segments
    return kind == (ModuleId.CDRS, InterfaceRole.RECEIVER, "POST", ())


async def clear(hub: Hub, passing: Passing, to: RoutedParty, send: Send) -> Passed:
    """Check a CDR by the rules of the platform it comes from, and pass it on by `send`; both are kept.

    Raises InvalidParameterError (2001) with the reason where a rule says refuse, and what `send` raises.
    """
    record = parse_body(passing.body)
    if not isinstance(record, dict):
        raise InvalidParameterError("the body is no object")
    bill = records.bill_of(passing.message.sender, passing.body, record)
    turn = hub.turns.setdefault((str(bill.owner), bill.id.upper()), asyncio.Lock())
    async with turn:
        verdict = await _verdict(hub, bill.owner, record)
        row_id, found = await _note(hub, passing, to, bill=bill, record=record, verdict=verdict)
        if strictest(found) is Rule.REFUSE:
            raise InvalidParameterError(f"refused by the clearing check: {_words(found, Rule.REFUSE)}")
        return await _sent(hub, row_id, send)


async def _verdict(hub: Hub, owner: Party, record: dict[str, Any]) -> Verdict | None:
    """In a thread: a bill of thousands of periods takes a while."""
    told = await told_of(hub, owner, record)
    return await asyncio.to_thread(records.verdict_on, owner, record, told, hub.clock.now())


async def _note(
    hub: Hub,
    passing: Passing,
    to: RoutedParty,
    *,
    bill: Bill,
    record: dict[str, Any],
    verdict: Verdict | None,
) -> tuple[str, tuple[Finding, ...]]:
    """Write down what came and what was found, before it goes on."""
    rules = passing.partner.settings.clearing
    async with hub.store.unit_of_work(hub.clock) as unit:
        earlier = await rows.beside(unit.session, bill)
        found = findings(bill, earlier, verdict, unit.now(), rules)
        row = await rows.same(unit.session, bill)
        if row is not None and row.allowed is not None:
            found = allowed(found)
        if row is None:
            row = _row(passing, to, unit, bill=bill, record=record)
            unit.session.add(row)
        else:
            row.times += 1
        row.verdict = str(strictest(found))
        row.price = "unreadable" if verdict is None else str(verdict.outcome)
        row.findings = list(found)
        if row.state != "delivered":
            row.state = "refused" if strictest(found) is Rule.REFUSE else "passing"
    return row.id, found


def _row(
    passing: Passing, to: RoutedParty, unit: UnitOfWork, *, bill: Bill, record: dict[str, Any]
) -> HubCdrRow:
    amounts = records.amounts_of(record)
    return HubCdrRow(
        id=new_name(),
        owner=str(bill.owner),
        receiver=str(Party(*to.key)),
        cdr_id=bill.id,
        cdr_key=bill.id.upper(),
        digest=bill.digest,
        session_key=_folded(bill.session_id),
        token_key=bill.token,
        started_at=bill.start,
        ended_at=bill.end,
        credit=bill.credit,
        credits_key=_folded(bill.credits),
        kwh=amounts.kwh,
        currency=amounts.currency,
        excl_vat=amounts.excl_vat,
        incl_vat=amounts.incl_vat,
        verdict=str(Rule.PASS),
        price="",
        findings=[],
        state="passing",
        correlation_id=passing.correlation_id,
        received_at=unit.now(),
    )


async def _sent(hub: Hub, row_id: str, send: Send) -> Passed:
    try:
        passed = await send()
    except OcpiError as error:
        await _settle(hub, row_id, "failed", f"OCPI {error.status_code}: {error.message}")
        raise
    took = 200 <= passed.http_status < 300 and 1000 <= passed.status_code < 2000
    said = f"HTTP {passed.http_status}, OCPI {passed.status_code}"
    await _settle(hub, row_id, "delivered" if took else "declined", said)
    return passed


async def _settle(hub: Hub, row_id: str, state: str, said: str) -> None:
    """What became of it. A record that was delivered once stays so, whatever is said to it the next time."""
    async with hub.store.unit_of_work(hub.clock) as unit:
        row = await rows.get(unit.session, row_id)
        if row is None:
            return
        row.answer = said
        if row.state != "delivered":
            row.state = state
            row.delivered_at = unit.now() if state == "delivered" else None


def _words(found: tuple[Finding, ...], rule: Rule) -> str:
    return "; ".join(f"{each.topic}: {each.words}" for each in found if each.rule is rule)


def _folded(text: str | None) -> str | None:
    return None if text is None else text.upper()
