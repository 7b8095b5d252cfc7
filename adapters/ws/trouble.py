"""What a client is told of an error: a code for programs and a sentence for people, never more."""

from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from adapters.wire.strict_json import OddJson
from core.kernel import DomainError, Invalid

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Trouble:
    code: str
    detail: str
    field: str | None = None


BROKEN = Trouble("internal_error", "Something went wrong on our side; try again")
NOT_TEXT = Trouble("invalid_frame", "Frames are JSON objects in text frames")
TOO_MANY_FRAMES = Trouble("rate_limited", "Too many frames; slow down")


class Refusal(Exception):
    """A refusal that the core knows nothing of."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.trouble = Trouble(code, detail)


FIELDS = {"client_id": "clientId", "customer_name": "senderName"}
"""What the frames call the core's fields."""


def trouble_of(error: Exception, fields: Mapping[str, str] = FIELDS) -> Trouble:
    """What nobody expected is in the log, once. `fields`: what the client calls the core's."""
    if isinstance(error, Invalid) and error.facts["field"] in fields:
        error = Invalid(field=fields[error.facts["field"]], rule=error.facts["rule"])
    if isinstance(error, Refusal):
        return error.trouble
    if isinstance(error, DomainError):
        field = error.facts.get("field")
        return Trouble(error.code, str(error), None if field is None else str(field))
    log.error("socket frame failed", exc_info=error)
    return BROKEN


def malformed(error: Exception) -> Trouble:
    """`error` says what is wrong and where, in words that hold nothing of the frame but its shape."""
    if isinstance(error, OddJson):
        return Trouble("invalid_frame", f"The frame is not acceptable JSON: {error}")
    return Trouble("invalid_frame", str(error) or NOT_TEXT.detail)
