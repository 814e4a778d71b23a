"""Records of others that passed the hub: what was read of each, what was found, and what became of it."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Column, ColumnElement, Index, Text, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from app.domain.errors import Conflict, NotFound
from app.domain.parties import Party
from app.domain.records.clearing import Bill, Finding
from app.store.database.columns import Document, Exact, UtcMicros

_MOST_COMPARED = 200


class HubCdrRow(SQLModel, table=True):
    """One record as its CPO posted it; the same bytes again are the same row, other bytes are another.

    `state`: `passing` while nobody has answered, `delivered`, `refused` by the hub, `declined` by the receiver,
    `failed` where it could not be passed on. `owner` is the CPO, `receiver` the eMSP; keys are in upper case. `allowed`
    is why an operator lets it pass when it comes again, whatever the rules say.
    """

    __tablename__ = "hub_cdrs"
    __table_args__ = (
        Index("ux_hub_cdrs_digest", "owner", "cdr_key", "digest", unique=True),
        Index("ix_hub_cdrs_session", "owner", "session_key"),
        Index("ix_hub_cdrs_token", "token_key", "started_at"),
        Index("ix_hub_cdrs_credits", "owner", "credits_key"),
        Index("ix_hub_cdrs_received", "received_at", "id"),
        Index("ix_hub_cdrs_delivered", "delivered_at"),
    )

    id: str = Field(primary_key=True, sa_type=Text)
    owner: str = Field(sa_type=Text)
    receiver: str = Field(sa_type=Text)
    cdr_id: str = Field(sa_type=Text)
    cdr_key: str = Field(sa_type=Text)
    digest: str = Field(sa_type=Text)
    session_key: str | None = Field(default=None, sa_type=Text)
    token_key: str | None = Field(default=None, sa_type=Text)
    started_at: datetime | None = Field(default=None, sa_type=UtcMicros)
    ended_at: datetime | None = Field(default=None, sa_type=UtcMicros)
    credit: bool = False
    credits_key: str | None = Field(default=None, sa_type=Text)
    kwh: Decimal | None = Field(default=None, sa_type=Exact)
    currency: str | None = Field(default=None, sa_type=Text)
    excl_vat: Decimal | None = Field(default=None, sa_type=Exact)
    incl_vat: Decimal | None = Field(default=None, sa_type=Exact)
    verdict: str = Field(sa_type=Text)
    price: str = Field(sa_type=Text)
    findings: list[Finding] = Field(sa_column=Column(Document(list[Finding]), nullable=False))
    state: str = Field(sa_type=Text)
    answer: str | None = Field(default=None, sa_type=Text)
    allowed: str | None = Field(default=None, sa_type=Text)
    times: int = 1
    correlation_id: str = Field(sa_type=Text)
    received_at: datetime = Field(sa_type=UtcMicros)
    delivered_at: datetime | None = Field(default=None, sa_type=UtcMicros)

    model_config = {"arbitrary_types_allowed": True}

    def bill(self) -> Bill:
        """What the checks need of it."""
        country, _, party = self.owner.partition("-")
        return Bill(
            owner=Party(country, party),
            id=self.cdr_id,
            digest=self.digest,
            session_id=self.session_key,
            token=self.token_key,
            start=self.started_at,
            end=self.ended_at,
            credit=self.credit,
            credits=self.credits_key,
        )


async def same(session: AsyncSession, bill: Bill) -> HubCdrRow | None:
    """The row of a record that came before with the same bytes."""
    found = await session.scalars(
        select(HubCdrRow)
        .where(
            col(HubCdrRow.owner) == str(bill.owner),
            col(HubCdrRow.cdr_key) == bill.id.upper(),
            col(HubCdrRow.digest) == bill.digest,
        )
        .execution_options(populate_existing=True)
    )
    return found.first()


async def beside(session: AsyncSession, bill: Bill) -> list[Bill]:
    """Delivered records that a new one has to be compared with, and the credits that take any of them back."""
    owner = col(HubCdrRow.owner) == str(bill.owner)
    meant = [and_(owner, col(HubCdrRow.cdr_key) == bill.id.upper())]
    if bill.session_id is not None:
        meant.append(and_(owner, col(HubCdrRow.session_key) == bill.session_id.upper()))
    if bill.token is not None and bill.start is not None and bill.end is not None:
        meant.append(
            and_(
                col(HubCdrRow.token_key) == bill.token,
                col(HubCdrRow.started_at) < bill.end,
                col(HubCdrRow.ended_at) > bill.start,
            )
        )
    found = await _bills(session, or_(*meant))
    taken_back = [
        and_(col(HubCdrRow.owner) == str(each.owner), col(HubCdrRow.credits_key) == each.id.upper())
        for each in found
    ]
    return found if not taken_back else found + await _bills(session, or_(*taken_back))


async def get(session: AsyncSession, id_: str) -> HubCdrRow | None:
    """One row."""
    return await session.get(HubCdrRow, id_, populate_existing=True)


async def allow(session: AsyncSession, id_: str, reason: str) -> HubCdrRow:
    """Lets a refused record pass when the same bytes come again. Raises NotFound; Conflict where none was refused."""
    row = await get(session, id_)
    if row is None:
        raise NotFound(f"no record {id_} passed the hub")
    if row.state != "refused":
        raise Conflict(f"record {row.cdr_id} was not refused by the hub: it is {row.state}")
    row.allowed = reason
    return row


async def find(
    session: AsyncSession,
    *,
    party: str | None = None,
    verdict: str | None = None,
    state: str | None = None,
    limit: int,
    offset: int = 0,
) -> tuple[Sequence[HubCdrRow], int]:
    """Newest first, and how many there are in all; `party` is the CPO or the eMSP."""
    filters: list[ColumnElement[bool]] = []
    if party is not None:
        filters.append(or_(col(HubCdrRow.owner) == party, col(HubCdrRow.receiver) == party))
    if verdict is not None:
        filters.append(col(HubCdrRow.verdict) == verdict)
    if state is not None:
        filters.append(col(HubCdrRow.state) == state)
    total = (await session.execute(select(func.count()).select_from(HubCdrRow).where(*filters))).scalar_one()
    newest = (col(HubCdrRow.received_at).desc(), col(HubCdrRow.id).desc())
    wanted = select(HubCdrRow).where(*filters).order_by(*newest).limit(limit).offset(offset)
    return (await session.scalars(wanted)).all(), total


async def delivered_between(session: AsyncSession, start: datetime, end: datetime) -> Sequence[HubCdrRow]:
    """The records that were delivered in [start, end)."""
    at = col(HubCdrRow.delivered_at)
    return (await session.scalars(select(HubCdrRow).where(at >= start, at < end))).all()


async def _bills(session: AsyncSession, meant: ColumnElement[bool]) -> list[Bill]:
    wanted = select(HubCdrRow).where(col(HubCdrRow.state) == "delivered", meant).limit(_MOST_COMPARED)
    return [row.bill() for row in await session.scalars(wanted)]
