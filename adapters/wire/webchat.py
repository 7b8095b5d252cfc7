"""The web chat's wire. One message object serves history and sockets, and every reader in the widget."""

from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from msgspec import UNSET, Meta, Struct, UnsetType

from adapters.wire.base import Counted, Id
from adapters.wire.conversations import ATTACHMENT_KINDS, word
from adapters.wire.pages import CAMEL, PageIn, Tenant, one_line, real_tenant
from core.conversations.messages import Attachment, AttachmentKind, Draft, Message, Sender
from core.conversations.model import NAME_LIMIT
from core.conversations.visitor import PAGE_LIMIT, History, OpenedSession, Posted

T = TypeVar("T")

SENDER_WORDS = {Sender.CUSTOMER: "user", Sender.AGENT: "agent", Sender.ASSISTANT: "bot"}

Mime = Annotated[str, Meta(pattern=r"^[A-Za-z0-9.+-]{1,64}/[A-Za-z0-9.+-]{1,64}\Z")] | None
Name = Annotated[str, Meta(max_length=NAME_LIMIT)] | None


class TokenIn(PageIn, kw_only=True):
    """`token`: the visitor's last one, to stay the same visitor."""

    session_id: Any = None
    token: Annotated[str, Meta(max_length=4_096)] | None = None


class SessionIn(PageIn, kw_only=True):
    session_id: str | None = None

    @property
    def label(self) -> str | None:
        """How the page names the person, for the shop's people to read."""
        said = next((name for name in (self.user_name, self.user_id) if isinstance(name, str)), "")
        return one_line(said)[:NAME_LIMIT] or None


class FilePayloadIn(Struct, kw_only=True, forbid_unknown_fields=True):
    url: str
    filename: str | None = None
    content_type: Mime = None
    size: Counted | None = None


class FileIn(Struct, kw_only=True, forbid_unknown_fields=True):
    type: str
    payload: FilePayloadIn

    def attachment(self) -> Attachment:
        return Attachment(
            kind=word(self.type, "attachments.type", ATTACHMENT_KINDS),
            url=self.payload.url,
            name=one_line(self.payload.filename or "") or None,
            content_type=self.payload.content_type,
            size=self.payload.size,
        )


class FilesIn(Struct, kw_only=True, forbid_unknown_fields=True):
    items: list[FileIn]


class CustomerMessageIn(PageIn, kw_only=True):
    """`temp_id`, or `clientMessageId`, makes repeating harmless: the first answer comes again."""

    text: str | None = ""
    temp_id: str | None = None
    client_message_id: str | None = None
    session_id: Id | None = None
    conversation_id: Any = None
    sender_name: Name = None
    attachments: FilesIn | list[FileIn] | None = None
    retry_due_to_closed: Any = None

    def draft(self, once: str | None = None) -> Draft:
        sent = self.attachments.items if isinstance(self.attachments, FilesIn) else self.attachments
        return Draft(
            text=self.text or "",
            attachments=tuple(attachment.attachment() for attachment in sent) if sent else (),
            client_id=self.client_message_id or self.temp_id or once,
        )

    @property
    def name(self) -> str | None:
        typed = one_line(self.sender_name) if self.sender_name else ""
        return (typed or self.called or "")[:NAME_LIMIT] or None


class HistoryQuery(Struct, kw_only=True, rename=CAMEL):
    session_id: Id | None = None
    tenant_id: Tenant = None
    after: Counted | None = None
    before: Counted | None = None
    limit: Annotated[int, Meta(ge=1, le=PAGE_LIMIT)] = PAGE_LIMIT

    @property
    def tenant(self) -> str | None:
        return real_tenant(self.tenant_id)


class TokenOut(Struct, kw_only=True, rename="camel"):
    token: str
    expires_in: int
    visitor_id: str
    tenant_id: str


class SessionOut(Struct, kw_only=True, rename="camel"):
    session_id: str
    visitor_id: str
    tenant_id: str
    conversation_id: str | None
    websocket_url: str


class FilePayloadOut(Struct, kw_only=True):
    url: str
    filename: str | None
    content_type: str | None
    size: int | None


class FileOut(Struct, kw_only=True):
    type: str
    payload: FilePayloadOut


class FilesOut(Struct, kw_only=True):
    items: list[FileOut]


class ChatMessageOut(Struct, kw_only=True):
    """Twice the same under two names where the widget's history and its sockets read different ones."""

    id: str
    message_id: str
    conversation_id: str
    tenant_id: str
    sequence: int
    text: str
    message_text: str
    sender: str
    sender_type: str
    sender_id: str | None
    sender_name: str | None
    timestamp: datetime
    created_at: datetime
    temp_id: str | None
    attachments: FilesOut
    metadata: dict[str, str]
    status: str


class HistoryOut(Struct, kw_only=True, rename="camel"):
    """`lastSequence` is where to go on: pass it as `after` for what came later."""

    messages: list[ChatMessageOut]
    has_more: bool
    last_sequence: int


class AcceptedData(Struct, kw_only=True):
    message_id: str | UnsetType
    conversation_id: str
    stream_id: str
    sequence: int
    timestamp: datetime
    duplicate: bool


class AcceptedOut(Struct, kw_only=True):
    code: Literal["ACCEPTED"]
    message: str
    data: AcceptedData


def message_out(message: Message, shop_id: str) -> ChatMessageOut:
    text = message.text or _stand_in(message)
    sender = SENDER_WORDS[message.sender]
    return ChatMessageOut(
        id=message.id,
        message_id=message.id,
        conversation_id=message.conversation_id,
        tenant_id=shop_id,
        sequence=message.sequence,
        text=text,
        message_text=text,
        sender=sender,
        sender_type=sender,
        sender_id=message.sender_id,
        sender_name=message.sender_name,
        timestamp=message.created_at,
        created_at=message.created_at,
        temp_id=message.own_id,
        attachments=FilesOut(items=[_attachment_out(attachment) for attachment in message.attachments]),
        metadata={},
        status="delivered",
    )


def history_out(history: History, shop_id: str, after: int | None) -> HistoryOut:
    messages, conversation = history.messages, history.conversation
    seen = after if after is not None else conversation.last_sequence if conversation else 0
    return HistoryOut(
        messages=[message_out(message, shop_id) for message in messages],
        has_more=history.has_more,
        last_sequence=messages[-1].sequence if messages else seen,
    )


def session_out(opened: OpenedSession, shop_id: str, websocket_url: str) -> SessionOut:
    return SessionOut(
        session_id=opened.session.id,
        visitor_id=opened.session.visitor_id,
        tenant_id=shop_id,
        conversation_id=opened.conversation.id if opened.conversation else None,
        websocket_url=websocket_url,
    )


def accepted_out(posted: Posted, *, is_shown: bool = True) -> AcceptedOut:
    """Without the message's id while the widget's own sockets have not shown it: it would never be ticked."""
    message = posted.message
    return AcceptedOut(
        code="ACCEPTED",
        message="Message accepted",
        data=AcceptedData(
            message_id=message.id if is_shown else UNSET,
            conversation_id=message.conversation_id,
            stream_id=f"{message.conversation_id}:{message.sequence}",
            sequence=message.sequence,
            timestamp=message.created_at,
            duplicate=posted.is_repeat,
        ),
    )


def _attachment_out(attachment: Attachment) -> FileOut:
    kind = AttachmentKind.IMAGE if attachment.kind is AttachmentKind.GIF else attachment.kind
    return FileOut(
        type=kind.value,
        payload=FilePayloadOut(
            url=attachment.url,
            filename=attachment.name,
            content_type=attachment.content_type,
            size=attachment.size,
        ),
    )


def _stand_in(message: Message) -> str:
    """A text for a message that is only a file: the widget shows no files, and would blank the bubble."""
    return f"[Attachment: {message.attachments[0].name or 'file'}]" if message.attachments else ""
