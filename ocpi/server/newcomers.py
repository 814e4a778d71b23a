"""What happens by itself: a newly registered partner is told everything and its tokens are read; regular work."""

import asyncio
from collections.abc import Callable

from app.kit.periodic import Periodic
from app.kit.tasks import spawn
from app.outbox import inspect
from ocpi.context import OcpiContext
from ocpi.hub import response_urls
from ocpi.partners.desk import PLATFORM
from ocpi.partners.handshake import SETTLING
from ocpi.partners.partner import Partner
from ocpi.pull.parties import PartyLists, read_anew
from ocpi.pull.tokens import pull_all, pull_tokens
from ocpi.push import newly_behind
from ocpi.push.catch_up import tell_everything

_TOKENS_SECONDS = 6 * 3600.0


def welcome(context: OcpiContext) -> None:
    """From now on every partner that registers is told all we have, and its tokens are read."""

    async def catch_up(partner: Partner) -> None:
        await read_anew(context, partner)
        await tell_everything(context.desk, partner)
        await asyncio.sleep(SETTLING.total_seconds())
        await pull_tokens(context, partner)

    async def introduce(partner: Partner) -> None:
        await newly_behind.tell(context.desk, context.hub.reach, partner, anew=True)
        await read_anew(context, partner)

    async def free(partner: Partner) -> None:
        """Who has come itself is behind no hub any more: such hubs are read again."""
        for each in context.registry.all():
            if each.id != partner.id and any(p.learned and partner.owns(p.party) for p in each.parties):
                await context.registry.reload(each.id)

    def registered(partner: Partner) -> None:
        spawn(free(partner), f"free:{partner.id}")
        welcoming = catch_up if partner.platform == PLATFORM else introduce
        spawn(welcoming(partner), f"welcome:{partner.id}")

    context.desk.listeners.append(registered)


def regular_work(context: OcpiContext, leads: Callable[[], bool] = lambda: True) -> list[Periodic]:
    """What has to be run every so often; to be started and stopped by the roof.

    Lists of partners are read by one process alone: the one that `leads`.
    """

    async def contacts() -> None:
        await context.registry.keep_contacts(context.clock)

    async def tokens() -> None:
        if leads():
            await pull_all(context)

    async def gauges() -> None:
        async with context.store.reading() as session:
            found = await inspect.backlogs(session)
        inspect.publish(found, [p.id for p in context.registry.all()], context.clock.now())

    async def agreements() -> None:
        await context.hub.agreements.reload()

    async def clients() -> None:
        await context.hub.liveness.look(context.traffic.answers)
        await context.hub.clients.refresh()

    async def results() -> None:
        await response_urls.forget_old(context.store, context.clock)

    lists = PartyLists(context)
    return [
        Periodic("hub-lists", 5.0, lists.look).only_if(leads),
        Periodic("hub-owners", 2.0, context.hub.owners.keep),
        Periodic("hub-accounts", 5.0, context.hub.accounts.keep),
        Periodic("hub-agreements", 10.0, agreements),
        Periodic("hub-clients", 2.0, clients, at_once=True).only_if(leads),
        Periodic("hub-results", 3600.0, results),
        Periodic("ocpi-traffic", 1.0, context.traffic.flush),
        Periodic("ocpi-contacts", 30.0, contacts),
        Periodic("ocpi-tokens", _TOKENS_SECONDS, tokens, jitter=0.3),
        Periodic("ocpi-gauges", 10.0, gauges),
    ]
