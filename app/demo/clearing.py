"""Taking the demo world away again: every row it made, and what it kept on disk."""

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel, col

from app.demo import world
from app.demo.memory import Chips, Memory
from app.demo.neighbourhood import NEIGHBOURS
from app.kit.clock import SystemClock
from app.outbox.tables import DeliveryRow
from app.settings import Settings
from app.store.cdrs import CdrRow
from app.store.database.engine import open_store
from app.store.grants import AliasRow
from app.store.hub.accounts import HubAccountRow
from app.store.hub.clearing import HubCdrRow
from app.store.hub.objects import HubAgreementRow, HubObjectRow, HubOwnerRow, HubResponseUrlRow
from app.store.locations import EvseRow, LocationRow
from app.store.remote import RemoteCommandRow, ToldRow
from app.store.sessions import SessionRow
from app.store.stations import StationRow
from app.store.tariffs import TariffRow
from app.store.tokens import TokenRow
from app.store.transactions import TransactionRow
from app.store.webhooks import AlarmRow
from app.wiring import only_one
from ocpi.partners.tables import PartnerRow, PartyRow


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
    Chips(settings.state_dir).forget()


async def _clear_stations(session: AsyncSession) -> None:
    ids = [world.NEWCOMER, *(post.id for site in world.SITES for post in site.stations)]
    await _clear_sessions(session, ids)
    await _clear_everywhere(session, "station_id", ids)
    await session.execute(delete(AlarmRow).where(col(AlarmRow.object_id).in_(ids)))
    inside = or_(*(col(AlarmRow.object_id).startswith(f"{station}/") for station in ids))
    await session.execute(delete(AlarmRow).where(inside))
    await session.execute(delete(StationRow).where(col(StationRow.id).in_(ids)))


async def _clear_sessions(session: AsyncSession, stations: list[str]) -> None:
    """Sessions, with a car or announced by a command only, their records, and that partners were told of them."""
    commands = await session.execute(
        select(RemoteCommandRow).where(col(RemoteCommandRow.station_id).in_(stations))
    )
    announced = [name for row in commands.scalars() if (name := row.doc.session_id) is not None]
    charged = select(col(TransactionRow.session_id)).where(col(TransactionRow.station_id).in_(stations))
    meant = or_(col(SessionRow.id).in_(announced), col(SessionRow.id).in_(charged))
    sessions = select(col(SessionRow.id)).where(meant)
    cdrs = select(col(CdrRow.id)).where(col(CdrRow.session_id).in_(sessions))
    told = or_(col(DeliveryRow.object_id).in_(sessions), col(DeliveryRow.object_id).in_(cdrs))
    await session.execute(delete(DeliveryRow).where(told))
    await session.execute(delete(AlarmRow).where(col(AlarmRow.object_id).in_(cdrs)))
    await session.execute(delete(CdrRow).where(col(CdrRow.session_id).in_(sessions)))
    await session.execute(delete(SessionRow).where(meant))


async def _clear_sites(session: AsyncSession) -> None:
    sites, prices = [site.id for site in world.SITES], list(world.tariffs())
    inside = or_(*(col(DeliveryRow.object_id).startswith(f"{site}/") for site in sites))
    named = col(DeliveryRow.object_id).in_([*sites, *prices])
    await session.execute(delete(DeliveryRow).where(or_(inside, named)))
    await session.execute(delete(EvseRow).where(col(EvseRow.location_id).in_(sites)))
    await session.execute(delete(LocationRow).where(col(LocationRow.id).in_(sites)))
    await session.execute(delete(TariffRow).where(col(TariffRow.id).in_(prices)))


async def _clear_partners(session: AsyncSession, memory: Memory) -> None:
    titles = [each.title for each in NEIGHBOURS]
    ids = [
        kept["id"]
        for name in (world.EMSP_NAME, world.GUEST_NAME, *titles)
        if (kept := memory.get(f"invitation:{name}"))
    ]
    for country_code, party_id in {world.EMSP, *await _parties(session, ids)}:
        for tokens in (TokenRow, AliasRow):
            mine = (col(tokens.country_code) == country_code, col(tokens.party_id) == party_id)
            await session.execute(delete(tokens).where(*mine))
    results = (await session.execute(select(ToldRow))).scalars()
    answered = [row.id for row in results if row.doc.partner_id in ids]
    await session.execute(delete(ToldRow).where(col(ToldRow.id).in_(answered)))
    await _clear_hub(session, ids)
    await _clear_everywhere(session, "partner_id", ids)
    await session.execute(delete(AlarmRow).where(col(AlarmRow.object_id).in_(ids)))
    await session.execute(delete(PartnerRow).where(col(PartnerRow.id).in_(ids)))


async def _clear_hub(session: AsyncSession, partners: list[str]) -> None:
    """What the hub kept of its parties, and of who dealt with them."""
    names = [each.name for each in NEIGHBOURS]
    for table, one, other, found in (
        (HubAgreementRow, HubAgreementRow.one, HubAgreementRow.other, names),
        (HubAccountRow, HubAccountRow.sender, HubAccountRow.receiver, names),
        (HubCdrRow, HubCdrRow.owner, HubCdrRow.receiver, names),
        (HubResponseUrlRow, HubResponseUrlRow.sender_id, HubResponseUrlRow.target_id, partners),
    ):
        await session.execute(delete(table).where(or_(col(one).in_(found), col(other).in_(found))))
    for owned in (HubObjectRow, HubOwnerRow):
        owner = col(owned.country_code) + "-" + col(owned.party_id)
        await session.execute(delete(owned).where(owner.in_(names)))


async def _clear_everywhere(session: AsyncSession, column: str, ids: list[str]) -> None:
    """Whatever table names a station or partner by this column: one that is new is cleared, too."""
    for table in SQLModel.metadata.sorted_tables:
        if column in table.c:
            await session.execute(delete(table).where(table.c[column].in_(ids)))


async def _parties(session: AsyncSession, partners: list[str]) -> set[tuple[str, str]]:
    """Whose tokens came through the demo's partners, and through nobody else."""
    rows = (await session.execute(select(PartyRow))).scalars().all()
    mine = {(row.country_code, row.party_id) for row in rows if row.partner_id in partners}
    return mine - {(row.country_code, row.party_id) for row in rows if row.partner_id not in partners}
