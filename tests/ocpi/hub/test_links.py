"""Links of receivers, led through the hub and back."""

import pytest
from cryptography.fernet import Fernet

from ocpi.errors import NotFoundError
from ocpi.headers import RoutedParty
from ocpi.hub.links import SEALED, Links, at_host_of
from ocpi.partners.tokens import Vault

OURS, THEIRS = "https://hub.example/ocpi/hub/2.2.1/sender/cdrs", "https://cpo.example/ocpi/cdrs"
AAA = RoutedParty("NL", "AAA")
KEY = Fernet.generate_key()


@pytest.fixture
def links() -> Links:
    return Links(Vault(KEY))


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (f'<{THEIRS}?offset=5>; rel="next"', f'<{OURS}?offset=5>; rel="next"'),
        (f'<{THEIRS}/page/2>; rel="next"', f'<{OURS}/page/2>; rel="next"'),
        ('<?offset=5>; rel="next"', f'<{OURS}?offset=5>; rel="next"'),
        (f'<{THEIRS}?offset=5>; rel="prev"', None),
        ("nonsense", None),
        (None, None),
        ('<https://[broken>; rel="next"', None),
    ],
)
def test_a_next_page_below_the_endpoint_keeps_its_form(
    links: Links, theirs: str | None, ours: str | None
) -> None:
    assert links.next_page(theirs, THEIRS, OURS, THEIRS, AAA) == ours


@pytest.mark.parametrize(
    "url", ["https://cpo.example/ocpi/cdrsX/1?a=b%2F", "https://evil.example/ocpi/cdrsX/1?a=b%2F"]
)
def test_any_other_is_sealed_and_leads_to_the_receivers_host_also_after_a_restart(
    links: Links, url: str
) -> None:
    made = links.next_page(f'<{url}>; rel="next"', THEIRS, OURS, THEIRS, AAA)
    assert made is not None
    segment = made.removeprefix(f"<{OURS}/").partition(">")[0]
    assert segment.startswith(SEALED)

    place = Links(Vault(KEY)).unseal(segment)

    assert place.party == AAA
    assert at_host_of(THEIRS, place.path) == "https://cpo.example/ocpi/cdrsX/1?a=b%2F"


def test_a_link_that_was_not_made_here_leads_nowhere(links: Links) -> None:
    made = links.location("/x", THEIRS, OURS, THEIRS, AAA)
    assert made is not None
    segment = made.rpartition("/")[2]
    for wrong in (segment[:-2], SEALED, "_x" * 2000, segment.upper(), "_é"):
        with pytest.raises(NotFoundError):
            links.unseal(wrong)
    with pytest.raises(NotFoundError):
        Links(Vault(Fernet.generate_key())).unseal(segment)
