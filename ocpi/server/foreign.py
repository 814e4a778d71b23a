"""HubClientInfo as RECEIVER: a hub that is our CPO's partner tells who is behind it (OCPI 2.2.1 mod_hub_client_info)."""

from app.domain.parties import Party, Role
from ocpi.errors import NotFoundError
from ocpi.partners import foreign
from ocpi.server.calling import Call, Operation, Reply, require_same
from ocpi.wire.clients import ClientInfo


async def put_client(call: Call, country_code: str, party_id: str) -> Reply:
    """Of a party that may use our stations we know from now on behind which hub it is; others are noted by nobody."""
    if not foreign.is_hub(call.partner):
        raise NotFoundError("this is for hubs")
    client = ClientInfo.read(call.body())
    require_same(client.country_code, country_code, "country_code")
    require_same(client.party_id, party_id, "party_id")
    await foreign.learn(call.context.desk, call.partner, Party(country_code, party_id), Role(client.role))
    return call.reply()


OPERATIONS = [
    Operation(
        method="PUT",
        path="/{country_code}/{party_id}",
        handler=put_client,
        summary="A party behind a hub",
        body=ClientInfo,
    )
]
