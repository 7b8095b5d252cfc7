"""Messages: the entries of a conversation, and the rules of what may be said."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.kernel import Invalid
from core.pictures import is_inline, is_inline_picture, is_web_address

TEXT_LIMIT = 5_000
FILE_NAME_LIMIT = 255
ATTACHMENTS_LIMIT = 10
INLINE_LIMIT = 1_500_000
"""Characters of one `data:` URL: about 1 MB of picture."""

ASSISTANT_NAME = "Assistant"

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]+")
_CLIENT_ID = re.compile(r"[\x21-\x7e]{1,128}")


class Sender(StrEnum):
    CUSTOMER = "customer"
    AGENT = "agent"
    ASSISTANT = "assistant"


class AttachmentKind(StrEnum):
    IMAGE = "image"
    GIF = "gif"
    VIDEO = "video"
    AUDIO = "audio"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that belongs to a message: a web address, or a small picture as a `data:` URL."""

    kind: AttachmentKind
    url: str
    name: str | None = None
    content_type: str | None = None
    size: int | None = None

    def __post_init__(self) -> None:
        if self.is_inline:
            self._check_inline()
        elif not is_web_address(self.url):
            raise Invalid(
                field="attachment.url", rule="must be an http(s) address or a data: URL of a picture"
            )
        if self.name is not None and not 1 <= len(self.name) <= FILE_NAME_LIMIT:
            raise Invalid(field="attachment.name", rule=f"must have 1 to {FILE_NAME_LIMIT} characters")
        if self.size is not None and self.size < 0:
            raise Invalid(field="attachment.size", rule="must not be negative")

    def _check_inline(self) -> None:
        if len(self.url) > INLINE_LIMIT:
            raise Invalid(field="attachment.url", rule=f"may have at most {INLINE_LIMIT} characters")
        if not is_inline_picture(self.url):
            raise Invalid(
                field="attachment.url", rule="as a data: URL must be a base64 PNG, JPEG, GIF or WebP picture"
            )

    @property
    def is_inline(self) -> bool:
        return is_inline(self.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One entry of a conversation. `sequence` counts from 1 in its conversation, without gaps."""

    id: str
    conversation_id: str
    sequence: int
    sender: Sender
    sender_id: str | None
    sender_name: str | None
    text: str
    attachments: tuple[Attachment, ...] = ()
    is_note: bool = False
    client_id: str | None = None
    created_at: datetime

    @property
    def own_id(self) -> str | None:
        """The client's id for it as the client knows it, without the scope that it was kept in."""
        return self.client_id and self.client_id.rpartition(" ")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message before it has a place in a conversation. Raises Invalid on construction.

    Client ids in different scopes have nothing to do with each other: two browsers of one person count alike.
    """

    text: str
    attachments: tuple[Attachment, ...] = ()
    is_note: bool = False
    client_id: str | None = None
    scope: str | None = None

    def __post_init__(self) -> None:
        if len(self.text) <= 2 * TEXT_LIMIT:  # line ends may have two characters; what is longer is too long
            object.__setattr__(self, "text", cleaned(self.text))
        if len(self.text) > TEXT_LIMIT:
            raise Invalid(field="text", rule=f"may have at most {TEXT_LIMIT} characters")
        if not self.text.strip() and not self.attachments:
            raise Invalid(field="text", rule="must not be empty unless there is an attachment")
        if len(self.attachments) > ATTACHMENTS_LIMIT:
            raise Invalid(field="attachments", rule=f"may hold at most {ATTACHMENTS_LIMIT} entries")
        if self.client_id is not None and not _CLIENT_ID.fullmatch(self.client_id):
            raise Invalid(
                field="client_id", rule="must be 1 to 128 printable ASCII characters without blanks"
            )

    @property
    def key(self) -> str | None:
        """What must be unique in the conversation. The blank is in no client's id."""
        if self.client_id is None or self.scope is None:
            return self.client_id
        return f"{hashlib.sha256(self.scope.encode()).hexdigest()[:16]} {self.client_id}"


def same_content(message: Message, draft: Draft) -> bool:
    """Whether the draft repeats the message; else its client id was used for two different things."""
    said = (message.text, message.attachments, message.is_note)
    return said == (draft.text, draft.attachments, draft.is_note)


def cleaned(text: str) -> str:
    """The text without control characters; line ends become newlines, tabs stay."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if text.isprintable() else _CONTROL.sub("", text)


def fit(text: str) -> str:
    """As much of the text as a message may hold; empty when there is nothing to say."""
    text = cleaned(text).strip()
    if len(text) <= TEXT_LIMIT:
        return text
    kept = text[: TEXT_LIMIT - 1]
    return (kept[: kept.rfind(" ")] if " " in kept[-100:] else kept) + "…"
