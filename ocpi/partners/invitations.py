"""Partners as the operator makes and unmakes them: invite, reinvite, pause, resume, settings."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from app.domain.errors import Conflict, Invalid, NotFound
from app.outbox import lanes
from app.store.database.unit_of_work import UnitOfWork
from ocpi.partners import tables
from ocpi.partners.desk import OFFERED, PLATFORM, Desk
from ocpi.partners.limits import MOST_BYTES
from ocpi.partners.partner import Partner, PartnerSettings, PartnerState
from ocpi.partners.tokens import new_token, token_hash

_LARGEST_PAGE = 1000
_FASTEST_PACE = 1000.0


async def invite(
    desk: Desk, name: str, platform: str = PLATFORM, settings: PartnerSettings | None = None
) -> tuple[Partner, str]:
    """A partner we expect, and the token A it shall register with, which is shown nowhere else.

    Raises Invalid for a platform that we do not have or a name of no length.
    """
    if platform not in OFFERED:
        raise Invalid(f"platform must be one of {', '.join(OFFERED)}", field="platform")
    if not name.strip() or len(name) > 100:
        raise Invalid("name must have 1 to 100 characters", field="name")
    token = new_token()
    async with desk.store.unit_of_work(desk.clock) as unit:
        partner = Partner(
            id=f"p-{secrets.token_hex(5)}",
            platform=platform,
            name=name.strip(),
            state=PartnerState.INVITED,
            token_hash=token_hash(token),
            settings=settings or PartnerSettings(),
            created_at=unit.now(),
            last_updated=unit.now(),
        )
        await tables.save(unit.session, partner)
    await desk.registry.reload(partner.id)
    return partner, token


async def reinvite(desk: Desk, partner_id: str) -> str:
    """A new token A for a partner that lost its credentials. What we have of it stays; its old tokens end."""
    token = new_token()

    def renewed(partner: Partner, _unit: UnitOfWork) -> Partner:
        if partner.state is PartnerState.REGISTERING:
            raise Conflict("a registration with this partner is under way")
        return msgspec.structs.replace(
            without_tokens_in(partner), state=PartnerState.INVITED, token_hash=token_hash(token)
        )

    await change(desk, partner_id, renewed)
    return token


async def pause(desk: Desk, partner_id: str) -> Partner:
    """Send nothing to this partner until it is resumed; what it must be told is remembered."""
    return await _move(desk, partner_id, PartnerState.REGISTERED, PartnerState.PAUSED)


async def resume(desk: Desk, partner_id: str) -> Partner:
    """Go on sending, at once."""
    async with desk.store.unit_of_work(desk.clock) as unit:
        await lanes.reopen(unit.session, partner_id, unit.now(), unpause=True)
    return await _move(desk, partner_id, PartnerState.PAUSED, PartnerState.REGISTERED)


async def set_settings(desk: Desk, partner_id: str, changes: Mapping[str, Any]) -> Partner:
    """Change some settings of a partner. Raises Invalid naming what is unknown or of the wrong type."""

    def changed(partner: Partner, _unit: UnitOfWork) -> Partner:
        merged = msgspec.to_builtins(partner.settings)
        given = dict(changes)
        if isinstance(rules := given.get("clearing"), dict):
            given["clearing"] = merged["clearing"] | rules
        merged |= given
        try:
            settings = msgspec.convert(merged, PartnerSettings)
        except msgspec.ValidationError as error:
            raise Invalid(str(error)) from None
        _check(settings)
        return msgspec.structs.replace(partner, settings=settings)

    return await change(desk, partner_id, changed)


async def change(desk: Desk, partner_id: str, how: Callable[[Partner, UnitOfWork], Partner]) -> Partner:
    """Change a partner as it is stored now, in one unit of work, and let everybody know. Raises NotFound."""

    async def changing(partner: Partner, unit: UnitOfWork) -> Partner:
        return how(partner, unit)

    return await change_within(desk, partner_id, changing)


async def change_within(
    desk: Desk, partner_id: str, how: Callable[[Partner, UnitOfWork], Awaitable[Partner]]
) -> Partner:
    """As `change`, for a change that has to look something up in the same unit of work."""
    async with desk.store.unit_of_work(desk.clock) as unit:
        partner = await tables.load(unit.session, partner_id, to_change=True)
        if partner is None:
            raise NotFound(f"there is no partner {partner_id}")
        changed = msgspec.structs.replace(await how(partner, unit), last_updated=unit.now())
        await tables.save(unit.session, changed)
    await desk.registry.reload(partner_id)
    return changed


def without_tokens_in(partner: Partner) -> Partner:
    """The partner without any token that it could use at us."""
    return msgspec.structs.replace(partner, token_hash=None, previous_token_hash=None, previous_until=None)


async def _move(desk: Desk, partner_id: str, before: PartnerState, after: PartnerState) -> Partner:
    def moved(partner: Partner, _unit: UnitOfWork) -> Partner:
        if partner.state not in (before, after):
            raise Conflict(f"the partner is {partner.state}, not {before}")
        return msgspec.structs.replace(partner, state=after)

    return await change(desk, partner_id, moved)


def _check(settings: PartnerSettings) -> None:
    if settings.broadcast not in ("per_party", "per_platform"):
        raise Invalid("broadcast must be per_party or per_platform", field="broadcast")
    if settings.page_limit is not None and not 1 <= settings.page_limit <= _LARGEST_PAGE:
        raise Invalid(f"page_limit must be from 1 to {_LARGEST_PAGE}", field="page_limit")
    if not 0 < settings.pace <= _FASTEST_PACE:
        raise Invalid(f"pace must be above 0 and at most {_FASTEST_PACE:g}", field="pace")
    for name, most in (("rate", 1e6), ("at_once", 10_000), ("largest_body", MOST_BYTES)):
        value = getattr(settings, name)
        if value is not None and not 0 < value <= most:
            raise Invalid(f"{name} must be above 0 and at most {most:g}, or null", field=name)
