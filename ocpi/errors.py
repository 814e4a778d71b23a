"""Every way an OCPI exchange goes wrong: what we answer to a caller, and what a partner did to us.

What we answer, with OCPI status code and the HTTP status that goes with it::

    OcpiError
    ├── ClientError                    2000  200   the caller's fault, nothing more exact fits
    │   ├── InvalidParameterError      2001  200   wrong or missing field, wrong type, ids that disagree
    │   ├── NotEnoughInformationError  2002  200
    │   ├── UnknownLocationError       2003  200
    │   ├── UnknownTokenError          2004  404   the prescribed answer of real-time authorization
    │   ├── MalformedBodyError         2001  400   the body is not JSON
    │   ├── UnauthorizedError          2000  401   no token, a wrong one, or token A outside the handshake
    │   ├── NotFoundError              2000  404   unknown object, or one of somebody else: both look alike
    │   ├── MethodNotAllowedError      2000  405   also credentials used in the wrong state
    │   ├── BodyTooLargeError          2000  413
    │   └── TooManyRequestsError       2000  429
    ├── ServerError                    3000  200   our fault, nothing more exact fits
    │   ├── CannotUseClientApiError    3001  200
    │   ├── UnsupportedVersionError    3002  200
    │   └── MissingEndpointsError      3003  200
    └── HubError                       4000  200   a hub could not pass the message on
        ├── UnknownReceiverError       4001  200
        ├── ForwardTimeoutError        4002  200
        └── ReceiverNotConnectedError  4003  200

A parsable request of an authorised caller never gets an HTTP error, so most of these travel with HTTP 200.

What a partner did to us::

    PartnerFailure
    ├── PartnerUnreachable   no answer came: refused, reset, dns, tls, timeout, or blocked by us
    ├── PartnerNonsense      an answer came that is not OCPI
    └── PartnerRefused       a well-formed answer that is not a success
"""

from enum import StrEnum
from typing import ClassVar

SUCCESS = 1000
"""The OCPI status code of success; partners may use any code from 1000 to 1999."""


class OcpiError(Exception):
    """An answer that is not a success; the message is meant for the caller to read."""

    default_status_code: ClassVar[int] = 3000
    default_http_status: ClassVar[int] = 200

    def __init__(self, message: str, *, http_status: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.status_code = self.default_status_code
        self.http_status = self.default_http_status if http_status is None else http_status


class ClientError(OcpiError):
    """2000: the caller did something wrong that no other code names."""

    default_status_code = 2000


class InvalidParameterError(ClientError):
    """2001: a field or parameter is missing, has the wrong type, or contradicts another."""

    default_status_code = 2001


class NotEnoughInformationError(ClientError):
    """2002: correct as far as it goes, but we need to be told more."""

    default_status_code = 2002


class UnknownLocationError(ClientError):
    """2003: a command or an authorization names a location we do not have."""

    default_status_code = 2003


class UnknownTokenError(ClientError):
    """2004 with HTTP 404: nobody here knows that token."""

    default_status_code = 2004
    default_http_status = 404


class MalformedBodyError(ClientError):
    """2001 with HTTP 400: the body is not JSON at all."""

    default_status_code = 2001
    default_http_status = 400


class UnauthorizedError(ClientError):
    """HTTP 401: the credentials token is missing, unknown or not valid for this endpoint."""

    default_http_status = 401


class NotFoundError(ClientError):
    """HTTP 404: there is no such object, or it is none of the caller's business."""

    default_http_status = 404


class MethodNotAllowedError(ClientError):
    """HTTP 405: the endpoint has no such method, or not in the present state of the registration."""

    default_http_status = 405


class BodyTooLargeError(ClientError):
    """HTTP 413: more bytes than we read from a partner in one request."""

    default_http_status = 413


class TooManyRequestsError(ClientError):
    """HTTP 429: slower, please; again after `retry_after` seconds."""

    default_http_status = 429

    def __init__(self, message: str = "", *, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ServerError(OcpiError):
    """3000: we failed, and no other code says how."""


class CannotUseClientApiError(ServerError):
    """3001: the caller's own API could not be used while we registered with it."""

    default_status_code = 3001


class UnsupportedVersionError(ServerError):
    """3002: no version that both sides speak."""

    default_status_code = 3002


class MissingEndpointsError(ServerError):
    """3003: the caller offers none, or not enough, of the endpoints we need."""

    default_status_code = 3003


class HubError(OcpiError):
    """4000: the message could not be passed on, and no other code says why."""

    default_status_code = 4000


class UnknownReceiverError(HubError):
    """4001: nobody here is the party that the message is addressed to."""

    default_status_code = 4001


class ForwardTimeoutError(HubError):
    """4002: the message was passed on, and no answer came in time."""

    default_status_code = 4002


class ReceiverNotConnectedError(HubError):
    """4003: the party is known and not connected."""

    default_status_code = 4003


class PartnerFailure(Exception):
    """A partner could not be used; the message never holds a token."""


class Unreachable(StrEnum):
    """Why no answer came."""

    REFUSED = "refused"
    RESET = "reset"
    DNS = "dns"
    TLS = "tls"
    TIMEOUT = "timeout"
    BLOCKED = "blocked"
    """We did not try: the address is not https, not public or not well-formed."""


class PartnerUnreachable(PartnerFailure):
    """No answer came. Unless `kind` is BLOCKED, DNS, REFUSED or TLS, the partner may have acted on the request."""

    def __init__(self, kind: Unreachable, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Nonsense(StrEnum):
    """What is wrong with an answer that is not OCPI."""

    BAD_HTTP = "bad_http"
    EMPTY = "empty"
    HTML = "html"
    NOT_JSON = "not_json"
    NO_ENVELOPE = "no_envelope"
    NO_DATA = "no_data"
    TOO_LARGE = "too_large"
    ENCODED = "encoded"
    REDIRECT = "redirect"
    BAD_PAGE = "bad_page"


class PartnerNonsense(PartnerFailure):
    """An answer came that is not OCPI; `http_status` is None where not even HTTP was spoken."""

    def __init__(self, kind: Nonsense, message: str, *, http_status: int | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.http_status = http_status
        self.location: str | None = None
        """The Location header, where there was one: the partner may have stored what we sent."""


class PartnerRefused(PartnerFailure):
    """A well-formed answer that is not a success; `status_code` is None for an HTTP error without envelope."""

    def __init__(self, message: str, *, http_status: int, status_code: int | None) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.status_code = status_code
