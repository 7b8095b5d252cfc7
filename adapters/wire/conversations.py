"""Conversations as the platform's pages see them. The sockets of that dialect speak the same objects."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, TypeVar, cast

from msgspec import UNSET, Meta, UnsetType, field
from msgspec.structs import asdict

from adapters.wire.base import Counted, In, Loose, Maybe, Out, ms, ms_or_none, or_none
from core.conversations.messages import Attachment, AttachmentKind, Draft, Message, Sender, cleaned
from core.conversations.model import Channel, ConversationChanges, Status
from core.conversations.views import MESSAGES_SHOWN, ConversationView
from core.kernel import Invalid

Word = TypeVar("Word", bound=StrEnum)

SENDERS = {"user": Sender.CUSTOMER, "seller": Sender.AGENT, "ai": Sender.ASSISTANT}
SENDER_SYNONYMS = SENDERS | {"customer": Sender.CUSTOMER, "agent": Sender.AGENT, "bot": Sender.ASSISTANT}
SENDER_WORDS = {sender: word for word, sender in SENDERS.items()}

STATUSES = {status.value: status for status in Status}
STATUS_SYNONYMS = STATUSES | {"waiting": Status.PENDING}

CHANNELS = {channel.value: channel for channel in Channel}
CHANNEL_SYNONYMS = CHANNELS | {"chat": Channel.WEB}

ATTACHMENT_KINDS = {kind.value: kind for kind in AttachmentKind}

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


LAST_MOMENT = 253_402_300_799_000
"""The end of the year 9999, in milliseconds: what every database can keep."""

Label = Annotated[str, Meta(max_length=255)] | None | UnsetType


class AttachmentIn(Loose):
    type: str
    url: str
    name: Maybe = UNSET

    def attachment(self) -> Attachment:
        kind = word(self.type, "attachment.type", ATTACHMENT_KINDS)
        return Attachment(kind=kind, url=self.url, name=cleaned(or_none(self.name) or "") or None)


class MessageIn(Loose, forbid_unknown_fields=True):
    """A message from the inbox, be it one that a socket has told: what is the server's to say is passed
    over."""

    sender: str
    text: str | None = ""
    attachment: AttachmentIn | None = None
    is_note: bool | None = False
    id: str | None = None
    sender_id: Any = None
    sender_name: Any = None
    timestamp: Any = None
    sequence: Any = None
    conversation_id: Any = None
    shop_id: Any = None

    def who(self) -> Sender:
        return word(self.sender, "sender", SENDER_SYNONYMS)

    def draft(self, once: str | None = None) -> Draft:
        return Draft(
            text=self.text or "",
            attachments=(self.attachment.attachment(),) if self.attachment else (),
            is_note=self.is_note or False,
            client_id=self.id or once,
        )


class ConversationIn(Loose, forbid_unknown_fields=True):
    """A thread opened by hand, as after a phone call."""

    customer_name: str
    channel: str | None = None
    platform: str | None = None

    def where(self) -> Channel:
        return word(self.channel or self.platform or Channel.WEB.value, "channel", CHANNEL_SYNONYMS)


class ConversationPart(Loose, forbid_unknown_fields=True):
    """Any part of a conversation, or all of it: what can't be changed this way is passed over."""

    id: Any = UNSET
    shop_id: Any = UNSET
    channel: Any = UNSET
    platform: Any = UNSET
    messages: Any = UNSET
    last_message_at: Any = UNSET
    last_sequence: Any = UNSET

    status: str | UnsetType = UNSET
    assignee_id: Label = UNSET
    tags: list[str] | UnsetType = UNSET
    notes: str | UnsetType = UNSET
    is_read: bool | UnsetType = UNSET
    is_ai_active: bool | UnsetType = UNSET
    customer_name: str | UnsetType = UNSET
    awaiting_proof_for_order_id: Label = UNSET
    awaiting_proof_until: Annotated[int, Meta(ge=0, le=LAST_MOMENT)] | UnsetType | None = UNSET

    def changes(self) -> ConversationChanges:
        """Raises Invalid."""
        sent = {
            name: entry
            for name, entry in asdict(self).items()
            if entry is not UNSET and name in ConversationChanges.__annotations__
        }
        if isinstance(self.status, str):
            sent["status"] = word(self.status, "status", STATUS_SYNONYMS)
        if isinstance(self.tags, list):
            sent["tags"] = tuple(self.tags)
        if isinstance(self.awaiting_proof_until, int):
            sent["awaiting_proof_until"] = EPOCH + timedelta(milliseconds=self.awaiting_proof_until)
        return cast(ConversationChanges, sent)


class PageQuery(In, forbid_unknown_fields=False):
    """`offset` counts from the first message, as `after` does; without either the last ones come."""

    limit: Annotated[int, Meta(ge=1, le=MESSAGES_SHOWN)] = 50
    offset: Counted | None = None
    after: Counted | None = None
    before: Counted | None = None

    @property
    def start(self) -> int | None:
        return self.offset if self.after is None else self.after


class AttachmentOut(Out, kw_only=True):
    type: str
    url: str
    name: str | UnsetType = UNSET


class MessageOut(Out, kw_only=True):
    id: str
    sender: str
    sender_id: str | UnsetType = UNSET
    sender_name: str | UnsetType = UNSET
    text: str
    timestamp: int
    attachment: AttachmentOut | UnsetType = UNSET
    attachments: list[AttachmentOut] | UnsetType = UNSET
    """All of them, where there are several: the pages know of one."""
    is_note: bool | UnsetType = UNSET
    client_id: str | UnsetType = UNSET
    sequence: int


class ConversationOut(Out):
    """The fields at the end are twins for clients that were written in snake_case."""

    id: str
    channel: str
    customer_name: str
    last_message_at: int
    status: str
    assignee_id: str | None
    tags: list[str]
    notes: str
    messages: list[MessageOut]
    is_read: bool
    is_ai_active: bool
    awaiting_proof_for_order_id: str | None
    awaiting_proof_until: int | None
    last_sequence: int
    platform: str
    customer_name_twin: str = field(name="customer_name")
    last_message_at_twin: int = field(name="last_message_at")
    assignee_id_twin: str | None = field(name="assignee_id")
    is_read_twin: bool = field(name="is_read")
    is_ai_active_twin: bool = field(name="is_ai_active")


def conversation_out(view: ConversationView) -> ConversationOut:
    conversation = view.conversation
    last_message_at = ms(conversation.last_message_at)
    return ConversationOut(
        id=conversation.id,
        channel=conversation.channel.value,
        customer_name=conversation.customer_name,
        last_message_at=last_message_at,
        status=conversation.status.value,
        assignee_id=conversation.assignee_id,
        tags=list(conversation.tags),
        notes=conversation.notes,
        messages=[message_out(message) for message in view.messages],
        is_read=conversation.is_read,
        is_ai_active=conversation.is_ai_active,
        awaiting_proof_for_order_id=conversation.awaiting_proof_for_order_id,
        awaiting_proof_until=ms_or_none(conversation.awaiting_proof_until),
        last_sequence=conversation.last_sequence,
        platform=conversation.channel.value,
        customer_name_twin=conversation.customer_name,
        last_message_at_twin=last_message_at,
        assignee_id_twin=conversation.assignee_id,
        is_read_twin=conversation.is_read,
        is_ai_active_twin=conversation.is_ai_active,
    )


def message_out(message: Message) -> MessageOut:
    attachments = [_attachment_out(attachment) for attachment in message.attachments]
    return MessageOut(
        id=message.id,
        sender=SENDER_WORDS[message.sender],
        sender_id=message.sender_id or UNSET,
        sender_name=message.sender_name or UNSET,
        text=message.text,
        timestamp=ms(message.created_at),
        attachment=attachments[0] if attachments else UNSET,
        attachments=attachments if len(attachments) > 1 else UNSET,
        is_note=True if message.is_note else UNSET,
        client_id=message.own_id or UNSET,
        sequence=message.sequence,
    )


def word(said: str, field: str, words: Mapping[str, Word]) -> Word:
    """What a client's word stands for, in any case. Raises Invalid and says what could be said."""
    known = words.get(said.strip().lower())
    if known is None:
        raise Invalid(field=field, rule=f"must be one of {', '.join(dict.fromkeys(words))}")
    return known


def _attachment_out(attachment: Attachment) -> AttachmentOut:
    return AttachmentOut(type=attachment.kind.value, url=attachment.url, name=attachment.name or UNSET)
