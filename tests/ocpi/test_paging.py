"""Page parameters as partners send them, and the headers that lead through a list."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpi.errors import InvalidParameterError
from ocpi.paging import PageRequest, next_page, page_headers, total_count

LIST = "https://cpo.example/ocpi/cpo/2.2.1/sender/locations"
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def parse(**parameters: str) -> PageRequest:
    return PageRequest.parse(parameters, largest=100, default=50)


def test_nothing_asked_means_the_beginning_of_everything() -> None:
    assert parse() == parse(limit="", offset=" ", date_from="", date_to="", after="") == PageRequest(limit=50)


def test_the_limit_is_lowered_to_what_we_give() -> None:
    assert parse(limit="7").limit == 7
    assert parse(limit="999999999999").limit == 100


@pytest.mark.parametrize(
    "parameters",
    [
        {"limit": "0"},
        {"limit": "-1"},
        {"limit": "ten"},
        {"limit": "1" * 24},
        {"limit": "1e2"},
        {"limit": "\u0667"},
        {"offset": "-1"},
        {"offset": "1.5"},
        {"offset": "2147483648"},
        {"offset": "9" * 24},
        {"date_from": "yesterday"},
        {"date_from": "1769860800"},
        {"date_to": "2026-02-30"},
        {"after": "../x"},
        {"after": "x" * 257},
        {"after": "a\r\nSet-Cookie: b"},
    ],
)
def test_absurd_values_are_2001(parameters: dict[str, str]) -> None:
    with pytest.raises(InvalidParameterError) as refused:
        parse(**parameters)
    assert refused.value.status_code == 2001


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T12:00:00Z",
        "2026-01-31T12:00:00",
        "2026-01-31T12:00:00+00:00",
        "2026-01-31T12:00:00 00:00",
        "2026-01-31T14:00:00 02:00",
        "2026-01-31T14:00:00.000 0200",
    ],
)
def test_dates_are_read_even_if_their_plus_was_lost(text: str) -> None:
    assert parse(date_from=text).date_from == NOON


def test_a_bare_date_is_its_first_moment() -> None:
    assert parse(date_to="2026-01-31").date_to == datetime(2026, 1, 31, tzinfo=UTC)


def test_the_link_repeats_filters_and_the_effective_limit() -> None:
    asked = parse(limit="5000", offset="100", date_from="2026-01-31T12:00:00Z")
    headers = page_headers(asked, url=LIST, total=1234, largest=100, has_more=True, position="aB-9")
    assert (headers["X-Total-Count"], headers["X-Limit"]) == ("1234", "100")
    found = next_page(headers["Link"], LIST)
    assert found is not None
    assert found.url.startswith(LIST + "?")
    query = parse_qs(urlsplit(found.url).query)
    assert query == {
        "offset": ["200"],
        "limit": ["100"],
        "date_from": ["2026-01-31T12:00:00Z"],
        "after": ["aB-9"],
    }


def test_the_last_page_has_no_link() -> None:
    headers = page_headers(parse(), url=LIST, total=0, largest=100, has_more=False)
    assert headers == {"X-Total-Count": "0", "X-Limit": "100"}


@given(
    st.integers(0, 2**31 - 101),
    st.integers(1, 100),
    st.none() | st.datetimes(timezones=st.just(UTC)),
    st.none() | st.from_regex(r"[A-Za-z0-9._~-]{1,256}", fullmatch=True),
)
def test_following_our_own_link_asks_for_the_next_page(
    offset: int, limit: int, date_to: datetime | None, position: str | None
) -> None:
    date_to = date_to and date_to.replace(microsecond=0)
    asked = PageRequest(offset=offset, limit=limit, date_to=date_to)
    headers = page_headers(asked, url=LIST, total=10**9, largest=100, has_more=True, position=position)
    found = next_page(headers["Link"], LIST)
    assert found is not None
    query = {name: values[0] for name, values in parse_qs(urlsplit(found.url).query).items()}
    expected = PageRequest(offset=offset + limit, limit=limit, date_to=date_to, after=position)
    assert PageRequest.parse(query, largest=100) == expected


@pytest.mark.parametrize(
    "link",
    [
        '<https://cpo.example/x?offset=1>; rel="next"',
        "<https://cpo.example/x?offset=1>;rel=next",
        '<https://cpo.example/x?offset=1>; REL="Next"',
        '<https://cpo.example/a>; rel="prev", <https://cpo.example/x?offset=1>; rel="next"',
        '<https://cpo.example/x?offset=1>; title="a, b; c"; rel="last next"',
        "</x?offset=1>; rel=next",
        "< https://cpo.example/x?offset=1 >; rel=next",
    ],
)
def test_links_are_read_in_every_usual_form(link: str) -> None:
    found = next_page(link, LIST)
    assert found is not None
    assert (found.url, found.foreign) == ("https://cpo.example/x?offset=1", False)


@pytest.mark.parametrize(
    "link", [None, "", "https://cpo.example/x", '<https://cpo.example/x>; rel="prev"', "<<<>>>"]
)
def test_no_next_page(link: str | None) -> None:
    assert next_page(link, LIST) is None


@pytest.mark.parametrize(
    "host", ["http://cpo.example", "https://10.0.0.1:8080", "https://cpo.example:444", "//evil.example"]
)
def test_a_foreign_link_is_followed_on_the_host_of_the_list(host: str) -> None:
    found = next_page(f'<{host}/ocpi/locations?offset=50>; rel="next"', LIST)
    assert found is not None
    assert (found.url, found.foreign) == ("https://cpo.example/ocpi/locations?offset=50", True)


@pytest.mark.parametrize(
    ("value", "count"), [("12", 12), (" 0 ", 0), ("-1", None), ("many", None), (None, None)]
)
def test_total_counts(value: str | None, count: int | None) -> None:
    assert total_count(value) == count
