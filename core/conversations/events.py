"""What happens in conversations. `visitor_id` is there so that the visitor's own sockets can be found."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from core.conversations.messages import Message
from core.kernel import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationOpened(Event):
    topic: ClassVar[str] = "conversation.opened"
    conversation_id: str
    visitor_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationChanged(Event):
    """Status, assignment, tags, notes or the assistant's switch changed."""

    topic: ClassVar[str] = "conversation.changed"
    conversation_id: str
    visitor_id: str | None
    status: str
    is_ai_active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationClosed(Event):
    """`reason`: agent, or inactivity."""

    topic: ClassVar[str] = "conversation.closed"
    conversation_id: str
    visitor_id: str | None
    reason: str
    closed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationReopened(Event):
    topic: ClassVar[str] = "conversation.reopened"
    conversation_id: str
    visitor_id: str | None
    reopened_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationDeleted(Event):
    topic: ClassVar[str] = "conversation.deleted"
    conversation_id: str
    visitor_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePosted(Event):
    topic: ClassVar[str] = "message.posted"
    message: Message
    visitor_id: str | None

    @property
    def conversation_id(self) -> str:
        return self.message.conversation_id


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDeleted(Event):
    topic: ClassVar[str] = "message.deleted"
    conversation_id: str
    visitor_id: str | None
    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagesRead(Event):
    """`reader` (a Sender's value) has seen everything up to `sequence`."""

    topic: ClassVar[str] = "messages.read"
    conversation_id: str
    visitor_id: str | None
    reader: str
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentsNotified(Event):
    """Something the shop's people should look at. `level`: info, success, warning or error.

    Whoever of them may is shown it later, too (core.notifications). `action_url`: the page where it goes on.
    """

    topic: ClassVar[str] = "agents.notified"
    title: str
    message: str
    level: str
    conversation_id: str | None
    order_id: str | None = None
    action_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerDue(Event):
    """A customer waits for the assistant's answer to this message."""

    topic: ClassVar[str] = "conversation.answer_due"
    conversation_id: str
    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Typing:
    """Somebody writes, or stopped. Told to those who are connected, never stored."""

    conversation_id: str
    visitor_id: str | None
    sender: str
    sender_id: str | None
    is_typing: bool
