"""Refusals on their way out: the one table from kinds to statuses, and what every error answer holds.

An answer carries RFC 9457's members and the fields of the dialect it is given in (dialects.py writes those).
Everything that refuses is a DomainError; the ones below exist only in HTTP.
"""

from dataclasses import dataclass
from http import HTTPStatus
from string import Formatter
from typing import Any, ClassVar

from core.kernel import DomainError, Kind
from ports.answers import StillAnswered

STATUS = {
    Kind.INVALID: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.TOO_LARGE: 413,
    Kind.UNSUPPORTED: 415,
    Kind.LIMITED: 429,
    Kind.UNAVAILABLE: 503,
}

RETRY_WHEN_UNAVAILABLE = 2
"""Seconds. What is out of reach is usually back, or restarted, within a moment."""

Header = tuple[bytes, bytes]

_SAMPLES = {
    "allow": "GET",
    "field": "name",
    "limit": 10_485_760,
    "permission": "manage_integrations",
    "reason": "it does not parse as UTF-8 JSON",
    "rule": "must not be empty",
    "seconds": 30,
    "size": 1024,
    "thing": "conversation",
    "wanted": "application/json",
}


class HttpRefusal(DomainError):
    """A refusal that has no kind in the core, only a status in HTTP."""

    kind = Kind.INVALID
    status: ClassVar[int]


class RouteNotFound(DomainError):
    kind = Kind.NOT_FOUND
    code = "route_not_found"
    says = "There is nothing at this address"


class MethodNotAllowed(HttpRefusal):
    """Facts: `allow`, the methods that would do."""

    status = 405
    code = "method_not_allowed"
    says = "This address takes only {allow}"


class BodyTooSlow(HttpRefusal):
    status = 408
    code = "body_timeout"
    says = "The body did not arrive in time"


class BodyTooLarge(DomainError):
    kind = Kind.TOO_LARGE
    code = "body_too_large"
    says = "The body may have at most {limit} bytes"


class UnsupportedMedia(HttpRefusal):
    status = 415
    code = "unsupported_media_type"
    says = "The body must be sent as {wanted}"


class AmbiguousLength(HttpRefusal):
    status = 400
    code = "ambiguous_length"
    says = "Send Content-Length or Transfer-Encoding, not both"


class RangeNotThere(HttpRefusal):
    """Facts: `size` of the whole in bytes."""

    status = 416
    code = "range_not_satisfiable"
    says = "The file has {size} bytes, and none of those that were asked for"


class SocketsOnly(HttpRefusal):
    status = 426
    code = "upgrade_required"
    says = "This address speaks WebSocket"


class MalformedJson(DomainError):
    kind = Kind.INVALID
    code = "malformed_json"
    says = "The body is not acceptable JSON: {reason}"


class OriginRefused(DomainError):
    """A page that may not do this called from a browser."""

    kind = Kind.FORBIDDEN
    code = "origin_not_allowed"
    says = "Pages of this origin may not call this address"


class PersonsOnly(DomainError):
    """A shop's admin key where only a person makes sense."""

    kind = Kind.FORBIDDEN
    code = "persons_only"
    says = "A shop's API key can't do this: sign in"


class RateLimited(DomainError):
    """Facts: `seconds` until the next try."""

    kind = Kind.LIMITED
    code = "rate_limited"
    says = "Too many requests; try again in {seconds} s"


class NoVisitorToken(DomainError):
    kind = Kind.UNAUTHENTICATED
    code = "missing_token"
    says = "Send the visitor's token as a bearer token"


class MissingTenant(DomainError):
    kind = Kind.INVALID
    code = "missing_tenant_id"
    says = "Name the tenant: by a page of one of its sites, by tenantId, or by its API key as a bearer token"


class AdminKeyHere(DomainError):
    """The shop's own key where only a visitor makes sense."""

    kind = Kind.FORBIDDEN
    code = "visitors_only"
    says = "The shop's admin key can't do this: it is for visitors"


class Broken(DomainError):
    """Parley's own fault. What exactly is in the log, under the request's id."""

    kind = Kind.UNAVAILABLE
    code = "internal_error"
    says = "Something went wrong on our side"


@dataclass(frozen=True, slots=True)
class Problem:
    """An error answer before it is written in some dialect."""

    status: int
    code: str
    detail: str
    details: dict[str, Any]

    @property
    def members(self) -> dict[str, Any]:
        """RFC 9457's."""
        return {
            "type": f"urn:parley:problem:{self.code}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }


def problem_of(error: DomainError) -> Problem:
    status = status_of(type(error))
    return Problem(status, error.code, str(error), dict(error.facts))


def status_of(error: type[DomainError]) -> int:
    if error is Broken:
        return 500
    return error.status if issubclass(error, HttpRefusal) else STATUS[error.kind]


def example_of(error: type[DomainError]) -> Problem:
    """What such an error looks like, for the documents."""
    names = [name for _, name, _, _ in Formatter().parse(error.says) if name]
    return problem_of(error(**{name: _SAMPLES.get(name, name) for name in names}))


def headers_of(problem: Problem) -> tuple[Header, ...]:
    """What HTTP wants said beside the body."""
    if problem.code == AmbiguousLength.code:
        # Where the next request on that connection begins is anybody's guess (RFC 9112, 6.1).
        return ((b"connection", b"close"),)
    if problem.code == StillAnswered.code:
        return ((b"retry-after", b"1"),)
    match problem.status:
        case 401:
            return ((b"www-authenticate", b'Bearer realm="parley"'),)
        case 405:
            return ((b"allow", str(problem.details["allow"]).encode()),)
        case 416:
            return ((b"content-range", b"bytes */%d" % problem.details["size"]),)
        case 429:
            return ((b"retry-after", str(problem.details["seconds"]).encode()),)
        case 503:
            return ((b"retry-after", str(RETRY_WHEN_UNAVAILABLE).encode()),)
    return ()
