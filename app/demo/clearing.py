"""Taking the demo world away again: every row it made, and what it kept on disk."""

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.demo import world
from app.demo.memory import Memory
from app.kit.clock import SystemClock
from app.outbox.tables import DeliveryRow, LaneRow
from app.settings import Settings
from app.store.cdrs import CdrRow
from app.store.commands import CommandRow
from app.store.engine import open_store
from app.store.frames import FrameRow, QuarantineRow, StationEventRow
from app.store.locations import EvseRow, LocationRow
from app.store.messages import MessageRow
from app.store.sessions import SessionRow
from app.store.stations import ConnectorRow, StationRow
from app.store.tariffs import TariffRow
from app.store.tokens import TokenRow
from app.store.transactions import SampleRow, TransactionRow
from app.wiring import only_one
from ocpi.partners.tables import EndpointRow, PartnerRow, PartyRow

_OF_STATIONS = (ConnectorRow, FrameRow, QuarantineRow, StationEventRow, CommandRow, SampleRow)


async def clear(settings: Settings) -> None:
    """Remove everything the demo made; the server must not be running. Raises StoreError."""
    memory = Memory(settings.state_dir)
    with only_one(settings):
        store = await open_store(settings.database_url)
        try:
            async with store.unit_of_work(SystemClock()) as unit:
                await _clear_stations(unit.session)
                await _clear_sites(unit.session)
                await _clear_partners(unit.session, memory)
        finally:
            await store.close()
    memory.forget()


async def _clear_stations(session: AsyncSession) -> None:
    ids = [post.id for site in world.SITES for post in site.stations]
    sessions = select(col(TransactionRow.session_id)).where(col(TransactionRow.station_id).in_(ids))
    cdrs = select(col(CdrRow.id)).where(col(CdrRow.session_id).in_(sessions))
    told = or_(col(DeliveryRow.object_id).in_(sessions), col(DeliveryRow.object_id).in_(cdrs))
    await session.execute(delete(DeliveryRow).where(told))
    await session.execute(delete(CdrRow).where(col(CdrRow.session_id).in_(sessions)))
    await session.execute(delete(SessionRow).where(col(SessionRow.id).in_(sessions)))
    await session.execute(delete(TransactionRow).where(col(TransactionRow.station_id).in_(ids)))
    for row in _OF_STATIONS:
        await session.execute(delete(row).where(col(row.station_id).in_(ids)))
    await session.execute(delete(StationRow).where(col(StationRow.id).in_(ids)))


async def _clear_sites(session: AsyncSession) -> None:
    sites, prices = [site.id for site in world.SITES], list(world.tariffs())
    inside = or_(*(col(DeliveryRow.object_id).startswith(f"{site}/") for site in sites))
    named = col(DeliveryRow.object_id).in_([*sites, *prices])
    await session.execute(delete(DeliveryRow).where(or_(inside, named)))
    await session.execute(delete(EvseRow).where(col(EvseRow.location_id).in_(sites)))
    await session.execute(delete(LocationRow).where(col(LocationRow.id).in_(sites)))
    await session.execute(delete(TariffRow).where(col(TariffRow.id).in_(prices)))


async def _clear_partners(session: AsyncSession, memory: Memory) -> None:
    country_code, party_id = world.EMSP
    await session.execute(
        delete(TokenRow).where(col(TokenRow.country_code) == country_code, col(TokenRow.party_id) == party_id)
    )
    ids = [
        kept["id"]
        for name in (world.EMSP_NAME, world.GUEST_NAME)
        if (kept := memory.get(f"invitation:{name}"))
    ]
    for row in (DeliveryRow, LaneRow, MessageRow, EndpointRow, PartyRow):
        await session.execute(delete(row).where(col(row.partner_id).in_(ids)))
    await session.execute(delete(PartnerRow).where(col(PartnerRow.id).in_(ids)))
