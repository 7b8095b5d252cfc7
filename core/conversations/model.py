"""Conversations and their messages."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Self, TypedDict

from core.conversations.events import (
    AgentsNotified,
    ConversationChanged,
    ConversationClosed,
    ConversationOpened,
    ConversationReopened,
    MessagePosted,
    MessagesRead,
)
from core.conversations.messages import Draft, Message, Sender, cleaned
from core.kernel import Event, Invalid

NAME_LIMIT = 255
NOTES_LIMIT = 20_000
TAG_LIMIT = 100
TAGS_LIMIT = 50


class Channel(StrEnum):
    WEB = "web"
    WHATSAPP = "whatsapp"
    FACEBOOK = "facebook"
    INSTAGRAM = "instagram"
    TIKTOK = "tiktok"
    TELEGRAM = "telegram"
    VIBER = "viber"


class Status(StrEnum):
    OPEN = "open"
    PENDING = "pending"
    CLOSED = "closed"


class CloseReason(StrEnum):
    AGENT = "agent"
    INACTIVITY = "inactivity"


class ConversationChanges(TypedDict, total=False):
    """What an agent may change. An absent key means: leave as it is."""

    status: Status
    assignee_id: str | None
    tags: tuple[str, ...]
    notes: str
    is_read: bool
    is_ai_active: bool
    customer_name: str
    awaiting_proof_for_order_id: str | None
    awaiting_proof_until: datetime | None


@dataclass(slots=True, eq=False, kw_only=True)
class Conversation:
    """A customer's thread with a shop: one total order of messages, and its state in the inbox."""

    id: str
    channel: Channel
    customer_name: str
    created_at: datetime
    last_message_at: datetime
    visitor_id: str | None = None
    status: Status = Status.OPEN
    closed_at: datetime | None = None
    assignee_id: str | None = None
    tags: tuple[str, ...] = ()
    notes: str = ""
    is_read: bool = False
    is_ai_active: bool = True
    last_sequence: int = 0
    customer_read_sequence: int = 0
    agent_read_sequence: int = 0
    awaiting_proof_for_order_id: str | None = None
    awaiting_proof_until: datetime | None = None
    version: int = 0
    events: list[Event] = field(default_factory=list, repr=False)

    @classmethod
    def open(
        cls, *, id: str, channel: Channel, customer_name: str, now: datetime, visitor_id: str | None = None
    ) -> Self:
        """A new thread: open, unassigned, unread, answered by the assistant."""
        conversation = cls(
            id=id,
            channel=channel,
            customer_name=checked_customer_name(customer_name),
            created_at=now,
            last_message_at=now,
            visitor_id=visitor_id,
        )
        conversation._record(ConversationOpened(conversation_id=id, visitor_id=visitor_id))
        return conversation

    def post(
        self,
        draft: Draft,
        *,
        id: str,
        sender: Sender,
        sender_id: str | None,
        sender_name: str | None,
        now: datetime,
    ) -> Message:
        """Give the draft its place in the total order and let the inbox react to it."""
        self.last_sequence += 1
        message = Message(
            id=id,
            conversation_id=self.id,
            sequence=self.last_sequence,
            sender=sender,
            sender_id=sender_id,
            sender_name=sender_name,
            text=draft.text,
            attachments=draft.attachments,
            is_note=draft.is_note,
            client_id=draft.key,
            created_at=now,
        )
        self._record(MessagePosted(message=message, visitor_id=self.visitor_id))
        if not message.is_note:
            self._react(message)
        return message

    def _react(self, message: Message) -> None:
        self.last_message_at = message.created_at
        was_closed = self.status is Status.CLOSED
        self.status = Status.OPEN
        match message.sender:
            case Sender.CUSTOMER:
                self.is_read = False
                self.customer_read_sequence = message.sequence
            case Sender.AGENT:
                self.is_ai_active = False
                self.agent_read_sequence = message.sequence
        if was_closed:
            self._reopened(message.created_at)

    def close(self, reason: CloseReason, now: datetime) -> None:
        """It comes to an end; the next message opens it again."""
        self.status = Status.CLOSED
        self._closed(reason, now)

    def hand_over(self, now: datetime) -> None:
        """The assistant steps back: a person is asked to take over."""
        self.is_ai_active = False
        self.is_read = False
        self._changed()
        self.notify_agents(title="A customer asks for a person", message=self.customer_name, level="warning")

    def notify_agents(
        self, *, title: str, message: str, level: str = "info", order_id: str | None = None
    ) -> None:
        self._record(
            AgentsNotified(
                title=title, message=message, level=level, conversation_id=self.id, order_id=order_id
            )
        )

    def change(self, changes: ConversationChanges, now: datetime) -> None:
        """Apply an agent's edit. Raises Invalid. Records nothing when nothing differs."""
        cleaned_changes = _checked(changes)
        was_closed = self.status is Status.CLOSED
        before = {name: getattr(self, name) for name in cleaned_changes}
        for name, value in cleaned_changes.items():
            setattr(self, name, value)
        if cleaned_changes.get("is_read"):
            self.agent_read_sequence = self.last_sequence
        if was_closed != (self.status is Status.CLOSED):
            self._reopened(now) if was_closed else self._closed(CloseReason.AGENT, now)
        elif any(getattr(self, name) != value for name, value in before.items()):
            self._changed()

    def read_by(self, reader: Sender, sequence: int) -> bool:
        """Move a reader's mark forward, never back; says whether it moved."""
        mark = "customer_read_sequence" if reader is Sender.CUSTOMER else "agent_read_sequence"
        sequence = min(sequence, self.last_sequence)
        if sequence <= getattr(self, mark):
            return False
        setattr(self, mark, sequence)
        if reader is Sender.AGENT and sequence == self.last_sequence:
            self.is_read = True
        self._record(
            MessagesRead(
                conversation_id=self.id, visitor_id=self.visitor_id, reader=reader.value, sequence=sequence
            )
        )
        return True

    def release_events(self) -> list[Event]:
        released, self.events = self.events, []
        return released

    def _closed(self, reason: CloseReason, now: datetime) -> None:
        self.closed_at = now
        self._changed()
        self._record(
            ConversationClosed(
                conversation_id=self.id, visitor_id=self.visitor_id, reason=reason.value, closed_at=now
            )
        )

    def _reopened(self, now: datetime) -> None:
        self.closed_at = None
        self._changed()
        self._record(
            ConversationReopened(conversation_id=self.id, visitor_id=self.visitor_id, reopened_at=now)
        )

    def _changed(self) -> None:
        self._record(
            ConversationChanged(
                conversation_id=self.id,
                visitor_id=self.visitor_id,
                status=self.status.value,
                is_ai_active=self.is_ai_active,
            )
        )

    def _record(self, event: Event) -> None:
        self.events.append(event)


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitorSession:
    """A visitor's stay on a shop's pages. Its id is a secret of that visitor.

    `labels` is what the pages said of themselves and of the person: nothing of it is proved.
    """

    id: str
    visitor_id: str
    created_at: datetime
    label: str | None = None
    site_id: str | None = None
    labels: Mapping[str, Any] = field(default_factory=dict)


def checked_customer_name(name: str) -> str:
    name = " ".join(cleaned(name).split())
    if not name:
        raise Invalid(field="customer_name", rule="must not be empty")
    if len(name) > NAME_LIMIT:
        raise Invalid(field="customer_name", rule=f"may have at most {NAME_LIMIT} characters")
    return name


def checked_tags(tags: Iterable[str]) -> tuple[str, ...]:
    result = tuple(dict.fromkeys(" ".join(cleaned(tag).split()) for tag in tags))
    if len(result) > TAGS_LIMIT:
        raise Invalid(field="tags", rule=f"may hold at most {TAGS_LIMIT} entries")
    if any(not 1 <= len(tag) <= TAG_LIMIT for tag in result):
        raise Invalid(field="tags", rule=f"must have 1 to {TAG_LIMIT} characters each")
    return result


def _checked(changes: ConversationChanges) -> ConversationChanges:
    result = changes.copy()
    if "customer_name" in result:
        result["customer_name"] = checked_customer_name(result["customer_name"])
    if "tags" in result:
        result["tags"] = checked_tags(result["tags"])
    if "notes" in result:
        result["notes"] = cleaned(result["notes"])
        if len(result["notes"]) > NOTES_LIMIT:
            raise Invalid(field="notes", rule=f"may have at most {NOTES_LIMIT} characters")
    return result
