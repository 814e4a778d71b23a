"""Paged GET, written once: the gate, the window, the headers, the joined bytes."""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.store.paging import Page, Position, Window
from ocpi.envelope import page as join_page
from ocpi.errors import InvalidParameterError
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.paging import PageRequest, page_headers
from ocpi.server.calling import Call, Reply
from ocpi.server.shelf import Listed

_LARGEST_SEQ = 2**63 - 1
_TABLES = {
    ModuleId.LOCATIONS: ("locations", "evses"),
    ModuleId.SESSIONS: ("sessions",),
    ModuleId.CDRS: ("cdrs",),
    ModuleId.TARIFFS: ("tariffs",),
}
"""What each list is read from."""

Select = Callable[[AsyncSession, Window], Awaitable[Page]]
Load = Callable[[AsyncSession, Sequence[str]], Awaitable[dict[str, tuple[datetime, bytes]]]]


async def listed(
    call: Call, module: ModuleId, select: Select, load: Load, *, audience: Hashable = ""
) -> Reply:
    """One page of a SENDER interface (OCPI 2.2.1 transport, Pagination).

    `select` gives ids and versions of what the caller may see, `load` renders those that are not kept yet;
    `audience` tells apart callers who see other objects, or the same ones differently.
    """
    largest = call.partner.settings.page_limit or call.context.page_limit
    asked = PageRequest.parse(call.query, largest=largest)
    window = _window(asked)

    async def read(before: Listed | None) -> Listed:
        async with call.context.store.reading() as session:
            page = await select(session, window)
            if before is not None and before.page == page:
                return before
            bodies = await call.pages.bodies(
                (module, audience), page.items, lambda missing: load(session, missing)
            )
        return Listed(page, b",".join(bodies))

    found = await call.shelf.get((module, audience, window), _TABLES[module], read)
    headers = page_headers(
        asked,
        url=call.url(module, InterfaceRole.SENDER),
        total=found.page.total,
        largest=largest,
        has_more=found.page.next is not None,
        position=None if found.page.next is None else write_position(found.page.next),
    )
    return Reply(join_page([found.data], now=call.now), headers=headers)


def _window(asked: PageRequest) -> Window:
    return Window(
        limit=asked.limit,
        offset=asked.offset,
        after=read_position(asked.after),
        date_from=asked.date_from,
        date_to=asked.date_to,
    )


def write_position(position: Position) -> str:
    """A position as our own Link carries it: letters and digits only."""
    return f"{position.seq}.{position.id.encode().hex()}"


def read_position(text: str | None) -> Position | None:
    """The position back. Raises InvalidParameterError for what we did not hand out."""
    if text is None:
        return None
    number, _, name = text.partition(".")
    try:
        position = Position(int(number), bytes.fromhex(name).decode())
    except ValueError:
        raise InvalidParameterError("after is a position that we did not hand out") from None
    if not 0 <= position.seq <= _LARGEST_SEQ or "\0" in position.id:
        raise InvalidParameterError("after is a position that we did not hand out")
    return position
