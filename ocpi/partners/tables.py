"""Rows of partners, their endpoints and their parties, and how they are read and written as one value."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Column, Index, Text, delete, false, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col, select

from app.domain.parties import Party, Role
from app.store.database.columns import Document, UtcMicros
from ocpi.modules import InterfaceRole
from ocpi.partners.partner import Endpoint, Partner, PartnerParty, PartnerSettings, PartnerState


class PartnerRow(SQLModel, table=True):
    """A partner without its endpoints and parties."""

    __tablename__ = "partners"

    id: str = Field(primary_key=True, sa_type=Text)
    platform: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    token_hash: str | None = Field(default=None, unique=True, sa_type=Text)
    previous_token_hash: str | None = Field(default=None, sa_type=Text)
    previous_until: datetime | None = Field(default=None, sa_type=UtcMicros)
    token_out: str | None = Field(default=None, sa_type=Text)
    versions_url: str | None = Field(default=None, sa_type=Text)
    version: str | None = Field(default=None, sa_type=Text)
    settings: PartnerSettings = Field(sa_column=Column(Document(PartnerSettings), nullable=False))
    prices: dict[str, str] = Field(sa_column=Column(Document(dict[str, str]), nullable=False))
    created_at: datetime = Field(sa_type=UtcMicros)
    last_contact: datetime | None = Field(default=None, sa_type=UtcMicros)
    last_updated: datetime = Field(sa_type=UtcMicros)

    model_config = {"arbitrary_types_allowed": True}


class EndpointRow(SQLModel, table=True):
    """One interface that a partner offers."""

    __tablename__ = "partner_endpoints"

    partner_id: str = Field(primary_key=True, sa_type=Text)
    module: str = Field(primary_key=True, sa_type=Text)
    role: str = Field(primary_key=True, sa_type=Text)
    url: str = Field(sa_type=Text)


class PartyRow(SQLModel, table=True):
    """One role of a partner; codes in upper case, as parties are compared."""

    __tablename__ = "partner_parties"
    __table_args__ = (
        Index("ux_partner_parties_party", "platform", "country_code", "party_id", "role", unique=True),
    )

    partner_id: str = Field(primary_key=True, sa_type=Text)
    role: str = Field(primary_key=True, sa_type=Text)
    country_code: str = Field(primary_key=True, sa_type=Text)
    party_id: str = Field(primary_key=True, sa_type=Text)
    platform: str = Field(sa_type=Text)
    business_details: dict[str, object] = Field(sa_column=Column(Document(dict), nullable=False))
    learned: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


_PLAIN = tuple(name for name in PartnerRow.model_fields if name != "state")


async def load_all(session: AsyncSession) -> list[Partner]:
    """Every partner, oldest first."""
    rows = (await session.scalars(select(PartnerRow).order_by(col(PartnerRow.created_at)))).all()
    endpoints = (await session.scalars(select(EndpointRow))).all()
    parties = (await session.scalars(select(PartyRow))).all()
    return [_partner(row, endpoints, parties) for row in rows]


async def load(session: AsyncSession, partner_id: str, *, to_change: bool = False) -> Partner | None:
    """One partner, with what hangs on it; `to_change` keeps everybody else from changing it meanwhile."""
    row = await session.get(PartnerRow, partner_id, with_for_update=to_change or None, populate_existing=True)
    if row is None:
        return None
    endpoints = await session.scalars(select(EndpointRow).where(col(EndpointRow.partner_id) == partner_id))
    parties = await session.scalars(select(PartyRow).where(col(PartyRow.partner_id) == partner_id))
    return _partner(row, endpoints.all(), parties.all())


async def save(session: AsyncSession, partner: Partner) -> None:
    """Write a partner whole: its row, its endpoints, its parties."""
    row = await session.get(PartnerRow, partner.id)
    values = {name: getattr(partner, name) for name in _PLAIN} | {"state": str(partner.state)}
    if row is None:
        session.add(PartnerRow(**values))
    else:
        for name, value in values.items():
            setattr(row, name, value)
    await _drop_children(session, partner.id)
    session.add_all(
        EndpointRow(partner_id=partner.id, module=e.module, role=str(e.role), url=e.url)
        for e in partner.endpoints
    )
    session.add_all(
        PartyRow(
            partner_id=partner.id,
            role=str(p.role),
            country_code=p.party.country_code,
            party_id=p.party.party_id,
            platform=partner.platform,
            business_details=p.business_details,
            learned=p.learned,
        )
        for p in partner.parties
    )
    await session.flush()


async def remove(session: AsyncSession, partner_id: str) -> None:
    """Forget a partner altogether."""
    await _drop_children(session, partner_id)
    await session.execute(delete(PartnerRow).where(col(PartnerRow.id) == partner_id))


async def save_contacts(session: AsyncSession, contacts: Mapping[str, datetime]) -> None:
    """When these partners last called."""
    for partner_id, at in contacts.items():
        await session.execute(
            update(PartnerRow).where(col(PartnerRow.id) == partner_id).values(last_contact=at)
        )


async def forget_learned(session: AsyncSession, partner_id: str, party: Party) -> None:
    """A party comes to this partner itself: it is behind no other partner, that is a hub, any more."""
    folded = party.folded()
    await session.execute(
        delete(PartyRow).where(
            col(PartyRow.partner_id) != partner_id,
            col(PartyRow.country_code) == folded.country_code,
            col(PartyRow.party_id) == folded.party_id,
            col(PartyRow.learned).is_(True),
        )
    )


async def owner_of(session: AsyncSession, platform: str, party: Party) -> str | None:
    """The id of the partner that has this party on this platform."""
    folded = party.folded()
    found = await session.scalars(
        select(PartyRow.partner_id)
        .where(
            col(PartyRow.platform) == platform,
            col(PartyRow.country_code) == folded.country_code,
            col(PartyRow.party_id) == folded.party_id,
        )
        .limit(1)
    )
    return found.first()


async def _drop_children(session: AsyncSession, partner_id: str) -> None:
    await session.execute(delete(EndpointRow).where(col(EndpointRow.partner_id) == partner_id))
    await session.execute(delete(PartyRow).where(col(PartyRow.partner_id) == partner_id))


def _partner(row: PartnerRow, endpoints: Sequence[EndpointRow], parties: Sequence[PartyRow]) -> Partner:
    return Partner(
        **{name: getattr(row, name) for name in _PLAIN},
        state=PartnerState(row.state),
        endpoints=tuple(
            Endpoint(e.module, InterfaceRole(e.role), e.url) for e in endpoints if e.partner_id == row.id
        ),
        parties=tuple(
            PartnerParty(Role(p.role), p.country_code, p.party_id, p.business_details, p.learned)
            for p in parties
            if p.partner_id == row.id
        ),
    )
