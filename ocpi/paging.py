"""Lists in pages: offset, limit, date_from and date_to; Link, X-Total-Count and X-Limit."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Self
from urllib.parse import urlencode, urljoin, urlsplit

from ocpi.errors import InvalidParameterError
from ocpi.times import read_time, write_time

LINK = "Link"
TOTAL_COUNT = "X-Total-Count"
LIMIT = "X-Limit"
AFTER = "after"
"""The parameter of our own Link that holds the position in the list; `offset` travels beside it."""

_LARGEST = 2**31 - 1
_DIGITS = re.compile(r"[0-9]{1,18}", re.ASCII)
_POSITION = re.compile(r"[A-Za-z0-9._~-]{1,256}", re.ASCII)
_LOST_PLUS = re.compile(r" (\d\d:?\d\d)$", re.ASCII)
_LINK = re.compile(r"<([^<>]*)>((?:[^<\"]|\"[^\"]*\")*)")
_REL = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s;,\"]+))", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """Which part of a list is asked for.

    `date_from` is inclusive and `date_to` exclusive, both on `last_updated`. `after` is the opaque position that our
    own Link carried: where present it counts instead of `offset`, so that pages do not shift under a crawling partner.
    """

    offset: int = 0
    limit: int
    date_from: datetime | None = None
    date_to: datetime | None = None
    after: str | None = None

    @classmethod
    def parse(cls, parameters: Mapping[str, str], *, largest: int, default: int | None = None) -> Self:
        """Read query parameters; a limit above `largest` is lowered to it, empty parameters count as absent.

        Raises InvalidParameterError (2001) for negative, absurd or unreadable values.
        """
        limit = _number(parameters, "limit", default or largest)
        if limit < 1:
            raise InvalidParameterError("limit must be at least 1")
        offset = _number(parameters, "offset", 0)
        if offset > _LARGEST:
            raise InvalidParameterError("offset is larger than any list")
        return cls(
            offset=offset,
            limit=min(limit, largest),
            date_from=_moment(parameters, "date_from"),
            date_to=_moment(parameters, "date_to"),
            after=_position(parameters),
        )

    def query(self) -> dict[str, str]:
        """Write the parameters back; those that are not set are left out."""
        written = {"offset": str(self.offset), "limit": str(self.limit)}
        if self.date_from is not None:
            written["date_from"] = write_time(self.date_from)
        if self.date_to is not None:
            written["date_to"] = write_time(self.date_to)
        if self.after is not None:
            written[AFTER] = self.after
        return written


def page_headers(
    asked: PageRequest, *, url: str, total: int, largest: int, has_more: bool, position: str | None = None
) -> dict[str, str]:
    """Write the headers of one page.

    `url` is the list's public address as configured, never taken from the request. `total` counts what the caller
    may see after the date filters. `position` is where the next page begins, as text of letters, digits and `._~-`.
    """
    headers = {TOTAL_COUNT: str(total), LIMIT: str(largest)}
    if has_more:
        following = PageRequest(
            offset=asked.offset + asked.limit,
            limit=asked.limit,
            date_from=asked.date_from,
            date_to=asked.date_to,
            after=position,
        )
        headers[LINK] = f'<{url}?{urlencode(following.query())}>; rel="next"'
    return headers


@dataclass(frozen=True, slots=True)
class NextPage:
    """Where a partner's list goes on; `foreign` when its Link named another host than the list has."""

    url: str
    foreign: bool


def next_page(link: str | None, current: str) -> NextPage | None:
    """Find the next page of the list at `current` in a Link header; None on the last page.

    The list's own scheme, host and port are kept whatever the Link names: our token belongs to that host.
    """
    target = _next_target(link or "")
    if target is None:
        return None
    here, there = urlsplit(current), urlsplit(urljoin(current, target))
    same = (there.scheme, there.netloc.lower()) == (here.scheme, here.netloc.lower())
    return NextPage(there._replace(scheme=here.scheme, netloc=here.netloc, fragment="").geturl(), not same)


def total_count(value: str | None) -> int | None:
    """Read X-Total-Count; None when it is missing or no number."""
    return int(value) if value is not None and _DIGITS.fullmatch(value.strip()) else None


def _next_target(link: str) -> str | None:
    for target, parameters in _LINK.findall(link):
        relations = _REL.search(parameters)
        if relations and "next" in (relations[1] or relations[2]).lower().split():
            return str(target).strip()
    return None


def _number(parameters: Mapping[str, str], name: str, default: int) -> int:
    text = parameters.get(name, "").strip()
    if not text:
        return default
    if not _DIGITS.fullmatch(text):
        raise InvalidParameterError(f"{name} must be a whole number, not negative and not absurd")
    return int(text)


def _moment(parameters: Mapping[str, str], name: str) -> datetime | None:
    text = parameters.get(name, "").strip()
    if not text:
        return None
    try:
        if len(text) == 10:
            return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
        # A plus sign that the caller did not encode arrives as a blank.
        return read_time(_LOST_PLUS.sub(r"+\1", text))
    except ValueError:
        raise InvalidParameterError(f"{name} must be a DateTime such as 2026-01-31T12:00:00Z") from None


def _position(parameters: Mapping[str, str]) -> str | None:
    text = parameters.get(AFTER, "")
    if text and not _POSITION.fullmatch(text):
        raise InvalidParameterError(f"{AFTER} is a position that we did not hand out")
    return text or None
