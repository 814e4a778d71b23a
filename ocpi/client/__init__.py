"""The one room that speaks HTTP to partners: PartnerClient, and what goes in and comes out of it."""

from ocpi.client.exchange import PartnerClient, open_client
from ocpi.client.guard import check_url
from ocpi.client.messages import Answer, Exchange, Page, Peer
from ocpi.client.relay import Relay, Relayed

__all__ = [
    "Answer",
    "Exchange",
    "Page",
    "PartnerClient",
    "Peer",
    "Relay",
    "Relayed",
    "check_url",
    "open_client",
]
