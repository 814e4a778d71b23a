"""The Credentials module as our partners call it (OCPI 2.2.1 mod_credentials)."""

from ocpi.partners import handshake
from ocpi.server.calling import Call, Operation, Reply
from ocpi.wire.credentials import Credentials


async def get_credentials(call: Call) -> Reply:
    """Our Credentials object with the very token that the caller uses."""
    return call.reply(call.context.desk.credentials(call.platform, call.known.token))


async def post_credentials(call: Call) -> Reply:
    """Register: we call the partner back while this request is open."""
    return call.reply(await handshake.accept(call.context.desk, call.known, call.body))


async def put_credentials(call: Call) -> Reply:
    """Renew: new tokens on both sides, endpoints read again."""
    return call.reply(await handshake.accept_renewal(call.context.desk, call.known, call.body))


async def delete_credentials(call: Call) -> Reply:
    """Unregister."""
    await handshake.dismiss(call.context.desk, call.known)
    return call.reply()


OPERATIONS = [
    Operation(method="GET", path="", handler=get_credentials, summary="Our credentials", data=Credentials),
    Operation(
        method="POST",
        path="",
        handler=post_credentials,
        summary="Register",
        body=Credentials,
        data=Credentials,
    ),
    Operation(
        method="PUT",
        path="",
        handler=put_credentials,
        summary="Renew the registration",
        body=Credentials,
        data=Credentials,
    ),
    Operation(method="DELETE", path="", handler=delete_credentials, summary="Unregister"),
]
