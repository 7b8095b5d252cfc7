"""What agents send. docs/protocol/agent-socket.md is the same for readers."""

from typing import Annotated

from msgspec import Meta, Raw, Struct
from msgspec.json import Decoder

from adapters.wire.base import Counted, Id
from adapters.wire.strict_json import refuse_odd


class Envelope(Struct):
    """Clients also send `type` and `timestamp`, which say nothing that counts here."""

    event: Annotated[str, Meta(max_length=64)]
    data: Raw = Raw(b"{}")


class In(Struct, kw_only=True, rename="camel"):
    """Unknown fields are passed over."""


class AuthIn(In):
    token: Annotated[str, Meta(min_length=1, max_length=4_096)]


class JoinIn(In):
    shop_id: Id
    position: Counted | None = None


class LeaveIn(In):
    shop_id: Id


class TypingIn(In):
    shop_id: Id
    conversation_id: Id


class ReadIn(In):
    shop_id: Id
    conversation_id: Id
    sequence: Counted


_decode = Decoder(Envelope).decode


def decode(text: str) -> Envelope:
    """Raises MsgspecError, RecursionError or OddJson."""
    refuse_odd(text.encode(), keeps_nul=True)
    return _decode(text)
