"""What visitors send. docs/protocol/visitor-socket.md is the same for readers."""

from typing import Annotated, Any, Literal

from msgspec import Meta, MsgspecError, Struct
from msgspec.json import Decoder

from adapters.wire.base import Counted
from adapters.wire.strict_json import refuse_odd
from adapters.wire.webchat import FileIn, FilesIn
from core.conversations.messages import Draft, cleaned
from core.conversations.model import NAME_LIMIT

CLIENT_ID_LIMIT = 128


class FrameIn(Struct, kw_only=True, rename="camel", tag_field="type", forbid_unknown_fields=True):
    """A field that is not known here would be something meant and not done: it is refused."""


class AuthIn(FrameIn, tag="auth"):
    token: Annotated[str, Meta(min_length=1, max_length=4_096)]
    after: Counted | None = None


class MessageIn(FrameIn, tag="message"):
    client_id: Annotated[str, Meta(max_length=CLIENT_ID_LIMIT)]
    text: str | None = ""
    attachments: FilesIn | list[FileIn] | None = None
    sender_name: Annotated[str, Meta(max_length=NAME_LIMIT)] | None = None

    def draft(self) -> Draft:
        """Raises Invalid."""
        sent = self.attachments.items if isinstance(self.attachments, FilesIn) else self.attachments or ()
        files = tuple(attachment.attachment() for attachment in sent)
        return Draft(text=self.text or "", attachments=files, client_id=self.client_id)

    @property
    def name(self) -> str | None:
        return " ".join(cleaned(self.sender_name or "").split()) or None


class TypingIn(FrameIn, tag="typing"):
    state: Literal["start", "stop"]


class ReadIn(FrameIn, tag="read"):
    sequence: Counted


class ResumeIn(FrameIn, tag="resume"):
    after: Counted


class PingIn(FrameIn, tag="ping"):
    id: Annotated[str, Meta(max_length=128)] | int | None = None


In = AuthIn | MessageIn | TypingIn | ReadIn | ResumeIn | PingIn

_decode = Decoder(In).decode


def decode(text: str) -> In:
    """Raises MsgspecError, RecursionError or OddJson."""
    refuse_odd(text.encode(), keeps_nul=True)
    frame: In = _decode(text)
    return frame


class _Named(Struct, rename="camel"):
    client_id: Any = None


_named = Decoder(_Named).decode


def client_id_in(text: str) -> str | None:
    """Which message a frame was about that is wrong otherwise, if it still tells."""
    try:
        client_id = _named(text).client_id
    except (MsgspecError, RecursionError):
        return None
    return client_id if isinstance(client_id, str) and len(client_id) <= CLIENT_ID_LIMIT else None
