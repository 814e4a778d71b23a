"""HubClientInfo as SENDER: who is behind the hub, as the caller may know it (OCPI 2.2.1 mod_hub_client_info)."""

from app.store.hub.objects import HubClientRow
from app.store.paging import Position
from ocpi.envelope import page as join_page
from ocpi.hub.clients import as_seen
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.paging import PageRequest, page_headers
from ocpi.server.calling import Call, Operation, Reply
from ocpi.server.listing import read_position, write_position
from ocpi.wire.base import render
from ocpi.wire.clients import ClientInfo


async def list_clients(call: Call) -> Reply:
    """All parties but the caller's own, in the order of coming; who has left stays, as SUSPENDED."""
    hub = call.context.hub
    largest = call.partner.settings.page_limit or call.context.page_limit
    asked = PageRequest.parse(call.query, largest=largest)
    others = [row for row in await hub.clients.all() if row.partner_id != call.partner.id]
    seen = [(row, as_seen(row, call.partner, hub.agreements)) for row in others]
    wanted = [each for each in seen if _is_between(each[1], asked)]
    rest = _rest(wanted, asked)
    page = rest[: asked.limit]
    more = len(rest) > len(page)
    headers = page_headers(
        asked,
        url=call.url(ModuleId.HUB_CLIENT_INFO, InterfaceRole.SENDER),
        total=len(wanted),
        largest=largest,
        has_more=more,
        position=write_position(_place(page[-1][0])) if more else None,
    )
    return Reply(join_page([render(info) for _, info in page], now=call.now), headers=headers)


def _is_between(info: ClientInfo, asked: PageRequest) -> bool:
    at = info.last_updated
    return (asked.date_from is None or asked.date_from <= at) and (
        asked.date_to is None or at < asked.date_to
    )


def _rest(
    wanted: list[tuple[HubClientRow, ClientInfo]], asked: PageRequest
) -> list[tuple[HubClientRow, ClientInfo]]:
    after = read_position(asked.after)
    if after is None:
        return wanted[asked.offset :]
    return [each for each in wanted if _place(each[0]) > after]


def _place(row: HubClientRow) -> Position:
    return Position(row.seq, row.id)


OPERATIONS = [
    Operation(
        method="GET",
        path="",
        handler=list_clients,
        summary="Who is behind the hub",
        data=ClientInfo,
        many=True,
    )
]
