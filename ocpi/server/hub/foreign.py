"""HubClientInfo as RECEIVER: a hub that is our CPO's partner tells who is behind it (OCPI 2.2.1 mod_hub_client_info)."""

from app.domain.parties import Party
from ocpi.errors import NotFoundError
from ocpi.partners import foreign
from ocpi.server.calling import Call, Operation, Reply, require_same
from ocpi.wire.clients import ClientInfo

_PATH = "/{country_code}/{party_id}"


async def get_client(call: Call, country_code: str, party_id: str) -> Reply:
    """What the hub last told of a party. Raises NotFoundError (404) for one that it never told of."""
    found = await foreign.client_of(call.context.desk, call.partner, Party(country_code, party_id))
    if found is None:
        raise NotFoundError("we were never told of this party")
    return call.reply(found.to_wire())


async def put_client(call: Call, country_code: str, party_id: str) -> Reply:
    """Of a party that may use our stations we know from now on behind which hub it is; older news change nothing."""
    if not foreign.is_hub(call.partner):
        raise NotFoundError("this is for hubs")
    client = ClientInfo.read(call.body())
    require_same(client.country_code, country_code, "country_code")
    require_same(client.party_id, party_id, "party_id")
    await foreign.told(call.context.desk, call.partner, [client])
    return call.reply()


OPERATIONS = [
    Operation(method="GET", path=_PATH, handler=get_client, summary="A party behind a hub", data=ClientInfo),
    Operation(
        method="PUT", path=_PATH, handler=put_client, summary="News of a party behind a hub", body=ClientInfo
    ),
]
