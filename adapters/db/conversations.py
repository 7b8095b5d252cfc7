"""Conversations, their messages, and the visitors who hold them."""

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam as p

from adapters.db.tables import Choice, Id, Json, UtcDateTime, metadata, values
from core.conversations.errors import ConversationNotFound
from core.conversations.messages import Attachment, Message, Sender
from core.conversations.model import Channel, Conversation, Status, VisitorSession
from core.kernel import ConcurrentUpdate, Event

visitor_sessions = sa.Table(
    "visitor_sessions",
    metadata,
    sa.Column("shop_id", Id, sa.ForeignKey("shops.shop_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("id", Id, primary_key=True),
    sa.Column("visitor_id", Id, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("label", sa.String(255)),
    sa.Index("ix_visitor_sessions_visitor_id", "shop_id", "visitor_id", "created_at"),
)

conversations = sa.Table(
    "conversations",
    metadata,
    sa.Column("shop_id", Id, sa.ForeignKey("shops.shop_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("id", Id, primary_key=True),
    sa.Column("channel", Choice(Channel), nullable=False),
    sa.Column("customer_name", sa.String(255), nullable=False),
    sa.Column("visitor_id", Id),
    sa.Column("status", Choice(Status), nullable=False),
    sa.Column("assignee_id", Id),
    sa.Column("tags", Json(tuple[str, ...]), nullable=False),
    sa.Column("notes", sa.Text, nullable=False),
    sa.Column("is_read", sa.Boolean, nullable=False),
    sa.Column("is_ai_active", sa.Boolean, nullable=False),
    sa.Column("last_sequence", sa.BigInteger, nullable=False),
    sa.Column("customer_read_sequence", sa.BigInteger, nullable=False),
    sa.Column("agent_read_sequence", sa.BigInteger, nullable=False),
    sa.Column("awaiting_proof_for_order_id", Id),
    sa.Column("awaiting_proof_until", UtcDateTime),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("last_message_at", UtcDateTime, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Index(
        "uq_conversations_visitor_id",
        "shop_id",
        "visitor_id",
        unique=True,
        sqlite_where=sa.text("visitor_id IS NOT NULL"),
        postgresql_where=sa.text("visitor_id IS NOT NULL"),
    ),
    sa.Index("ix_conversations_last_message_at", "shop_id", "last_message_at", "id"),
)

messages = sa.Table(
    "messages",
    metadata,
    sa.Column("shop_id", Id, primary_key=True),
    sa.Column("conversation_id", Id, primary_key=True),
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("id", Id, nullable=False),
    sa.Column("sender", Choice(Sender), nullable=False),
    sa.Column("sender_id", Id),
    sa.Column("sender_name", sa.String(255)),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("attachments", Json(tuple[Attachment, ...]), nullable=False),
    sa.Column("is_note", sa.Boolean, nullable=False),
    sa.Column("client_id", sa.String(160)),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.ForeignKeyConstraint(
        ["shop_id", "conversation_id"],
        ["conversations.shop_id", "conversations.id"],
        name="fk_messages_conversation_id",
        ondelete="CASCADE",
    ),
    sa.UniqueConstraint("shop_id", "id", name="uq_messages_id"),
    sa.UniqueConstraint("shop_id", "conversation_id", "client_id", name="uq_messages_client_id"),
)

_FIELDS = [column.name for column in conversations.c if column.name != "shop_id"]
_FIXED = {"id", "channel", "visitor_id", "created_at", "version"}
_SAVED = [name for name in _FIELDS if name not in _FIXED]
_COLUMNS = [column for column in conversations.c if column.name != "shop_id"]
_OURS = conversations.c.shop_id == p("shop_id")

_CONVERSATION = sa.select(*_COLUMNS).where(_OURS, conversations.c.id == p("conversation_id"))
_CONVERSATION_LOCKED = _CONVERSATION.with_for_update()
_OF_VISITOR = sa.select(*_COLUMNS).where(_OURS, conversations.c.visitor_id == p("visitor_id"))
_OF_VISITOR_LOCKED = _OF_VISITOR.with_for_update()
_LATEST = (
    sa.select(*_COLUMNS)
    .where(_OURS)
    .order_by(conversations.c.last_message_at.desc(), conversations.c.id.desc())
    .limit(p("limit"))
)
_ADD = conversations.insert()
_SAVE = (
    conversations.update()
    .where(
        conversations.c.shop_id == p("b_shop_id"),
        conversations.c.id == p("b_id"),
        conversations.c.version == p("b_version"),
    )
    .values({name: p(name) for name in _SAVED})
    .values(version=conversations.c.version + 1)
)
_DELETE = conversations.delete().where(_OURS, conversations.c.id == p("conversation_id"))

_MESSAGE_FIELDS = [column.name for column in messages.c if column.name != "shop_id"]
_MESSAGE_COLUMNS = [column for column in messages.c if column.name != "shop_id"]
_THREAD = sa.and_(messages.c.shop_id == p("shop_id"), messages.c.conversation_id == p("conversation_id"))
_ADD_MESSAGE = messages.insert()
_MESSAGE = sa.select(*_MESSAGE_COLUMNS).where(_THREAD, messages.c.id == p("message_id"))
_BY_CLIENT_ID = sa.select(*_MESSAGE_COLUMNS).where(_THREAD, messages.c.client_id == p("client_id"))
_DELETE_MESSAGE = messages.delete().where(_THREAD, messages.c.id == p("message_id"))
_PAGE = sa.select(*_MESSAGE_COLUMNS).where(
    _THREAD,
    messages.c.sequence > p("after"),
    messages.c.sequence < p("before"),
    messages.c.is_note <= p("with_notes", type_=sa.Boolean),
)
_NEXT = _PAGE.order_by(messages.c.sequence).limit(p("limit"))
_LAST = _PAGE.order_by(messages.c.sequence.desc()).limit(p("limit"))
_BEYOND_ANY_SEQUENCE = 2**62

_RANKED = (
    sa.select(
        *_MESSAGE_COLUMNS,
        sa.func.row_number()
        .over(partition_by=messages.c.conversation_id, order_by=messages.c.sequence.desc())
        .label("rank"),
    )
    .where(messages.c.shop_id == p("shop_id"), messages.c.conversation_id.in_(p("ids", expanding=True)))
    .subquery()
)
_TAILS = (
    sa.select(*[_RANKED.c[name] for name in _MESSAGE_FIELDS])
    .where(_RANKED.c.rank <= p("limit"))
    .order_by(_RANKED.c.conversation_id, _RANKED.c.sequence)
)
_SESSION_FIELDS = [column.name for column in visitor_sessions.c if column.name != "shop_id"]
_SESSION = sa.select(visitor_sessions).where(
    visitor_sessions.c.shop_id == p("shop_id"), visitor_sessions.c.id == p("session_id")
)
_LATEST_SESSION = (
    sa.select(visitor_sessions)
    .where(visitor_sessions.c.shop_id == p("shop_id"), visitor_sessions.c.visitor_id == p("visitor_id"))
    .order_by(visitor_sessions.c.created_at.desc())
    .limit(1)
)


class SqlConversations:
    def __init__(
        self, connection: sa.Connection, shop_id: str | None, record: Callable[[Event], None]
    ) -> None:
        self._connection, self._shop_id, self._record = connection, shop_id, record

    def get(self, conversation_id: str, *, lock: bool = False) -> Conversation:
        statement = _CONVERSATION_LOCKED if lock else _CONVERSATION
        params = {"shop_id": self._shop_id, "conversation_id": conversation_id}
        row = self._connection.execute(statement, params).one_or_none()
        if row is None:
            raise ConversationNotFound
        return Conversation(**row._mapping)

    def of_visitor(self, visitor_id: str, *, lock: bool = False) -> Conversation | None:
        statement = _OF_VISITOR_LOCKED if lock else _OF_VISITOR
        params = {"shop_id": self._shop_id, "visitor_id": visitor_id}
        row = self._connection.execute(statement, params).one_or_none()
        return Conversation(**row._mapping) if row else None

    def latest(self, limit: int) -> list[Conversation]:
        rows = self._connection.execute(_LATEST, {"shop_id": self._shop_id, "limit": limit})
        return [Conversation(**row._mapping) for row in rows]

    def add(self, conversation: Conversation) -> None:
        row = {name: getattr(conversation, name) for name in _FIELDS}
        self._connection.execute(_ADD, {"shop_id": self._shop_id, **row})
        self._stage(conversation)

    def save(self, conversation: Conversation) -> None:
        row = {name: getattr(conversation, name) for name in _SAVED}
        key = {"b_shop_id": self._shop_id, "b_id": conversation.id, "b_version": conversation.version}
        if self._connection.execute(_SAVE, {**key, **row}).rowcount != 1:
            raise ConcurrentUpdate(thing="conversation")
        conversation.version += 1
        self._stage(conversation)

    def delete(self, conversation: Conversation) -> None:
        self._connection.execute(_DELETE, {"shop_id": self._shop_id, "conversation_id": conversation.id})

    def _stage(self, conversation: Conversation) -> None:
        for event in conversation.release_events():
            self._record(event)


class SqlMessages:
    def __init__(self, connection: sa.Connection, shop_id: str | None) -> None:
        self._connection, self._shop_id = connection, shop_id

    def add(self, message: Message) -> None:
        row = {name: getattr(message, name) for name in _MESSAGE_FIELDS}
        self._connection.execute(_ADD_MESSAGE, {"shop_id": self._shop_id, **row})

    def find(self, conversation_id: str, message_id: str) -> Message | None:
        return self._one(_MESSAGE, conversation_id=conversation_id, message_id=message_id)

    def by_client_id(self, conversation_id: str, client_id: str) -> Message | None:
        return self._one(_BY_CLIENT_ID, conversation_id=conversation_id, client_id=client_id)

    def page(
        self,
        conversation_id: str,
        *,
        limit: int,
        after: int | None = None,
        before: int | None = None,
        with_notes: bool = True,
    ) -> list[Message]:
        params = {
            "shop_id": self._shop_id,
            "conversation_id": conversation_id,
            "after": after or 0,
            "before": _BEYOND_ANY_SEQUENCE if before is None else before,
            "with_notes": with_notes,
            "limit": limit,
        }
        rows = self._connection.execute(_LAST if after is None else _NEXT, params)
        found = [Message(**row._mapping) for row in rows]
        return found[::-1] if after is None else found

    def tails(self, conversation_ids: Sequence[str], limit: int) -> dict[str, list[Message]]:
        if not conversation_ids:
            return {}
        params = {"shop_id": self._shop_id, "ids": list(conversation_ids), "limit": limit}
        found: dict[str, list[Message]] = {}
        for row in self._connection.execute(_TAILS, params):
            found.setdefault(row.conversation_id, []).append(Message(**row._mapping))
        return found

    def delete(self, conversation_id: str, message_id: str) -> bool:
        params = {"shop_id": self._shop_id, "conversation_id": conversation_id, "message_id": message_id}
        return self._connection.execute(_DELETE_MESSAGE, params).rowcount == 1

    def _one(self, statement: sa.Select[Any], **params: str) -> Message | None:
        row = self._connection.execute(statement, {"shop_id": self._shop_id, **params}).one_or_none()
        return Message(**row._mapping) if row else None


class SqlVisitors:
    def __init__(self, connection: sa.Connection, shop_id: str | None) -> None:
        self._connection, self._shop_id = connection, shop_id

    def add_session(self, session: VisitorSession) -> None:
        row = {name: getattr(session, name) for name in _SESSION_FIELDS}
        self._connection.execute(visitor_sessions.insert(), {"shop_id": self._shop_id, **row})

    def find_session(self, session_id: str) -> VisitorSession | None:
        return self._one(_SESSION, session_id=session_id)

    def latest_session(self, visitor_id: str) -> VisitorSession | None:
        return self._one(_LATEST_SESSION, visitor_id=visitor_id)

    def _one(self, statement: sa.Select[Any], **params: str) -> VisitorSession | None:
        row = self._connection.execute(statement, {"shop_id": self._shop_id, **params}).one_or_none()
        return VisitorSession(**values(row)) if row else None
