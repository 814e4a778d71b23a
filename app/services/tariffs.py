"""Our tariffs: put and withdrawn by the operator, told to partners."""

from app.domain.events import TariffChanged
from app.domain.tariffs import Tariff
from app.store import tariffs
from app.store.database.unit_of_work import UnitOfWork


async def put(unit: UnitOfWork, tariff: Tariff) -> tuple[Tariff, bool]:
    """Create or replace a tariff; gives it as stored, and whether it is new (a withdrawn one counts as new)."""
    created = await tariffs.get(unit.session, tariff.id) is None
    stored = await tariffs.save(unit.session, tariff, unit.now())
    unit.emit(TariffChanged(tariff_id=stored.id, at=stored.last_updated))
    return stored, created


async def withdraw(unit: UnitOfWork, tariff_id: str) -> bool:
    """Take a tariff out of all lists; partners are told to delete it. False where there is none."""
    withdrawn = await tariffs.withdraw(unit.session, tariff_id, unit.now())
    if withdrawn is None:
        return False
    unit.emit(TariffChanged(tariff_id=withdrawn.id, at=unit.now()))
    return True
