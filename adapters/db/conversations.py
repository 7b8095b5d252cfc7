"""Conversations and their messages."""

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam as p

from adapters.db.statements import ListStatement, Row, Session, Statement
from adapters.db.tables import Choice, Id, Json, UtcDateTime, metadata
from core.conversations.errors import ConversationNotFound
from core.conversations.messages import Attachment, Message, Sender
from core.conversations.model import Channel, Conversation, Status
from core.kernel import ConcurrentUpdate, Event

conversations = sa.Table(
    "conversations",
    metadata,
    sa.Column("shop_id", Id, sa.ForeignKey("shops.shop_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("id", Id, primary_key=True),
    sa.Column("channel", Choice(Channel), nullable=False),
    sa.Column("customer_name", sa.String(255), nullable=False),
    sa.Column("visitor_id", Id),
    sa.Column("status", Choice(Status), nullable=False),
    sa.Column("closed_at", UtcDateTime),
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
    # By kind of sender: nobody can take up the id under which the assistant will answer.
    sa.UniqueConstraint("shop_id", "conversation_id", "sender", "client_id", name="uq_messages_client_id"),
)

_FIELDS = [column.name for column in conversations.c if column.name != "shop_id"]
_FIXED = {"id", "channel", "visitor_id", "created_at", "version"}
_SAVED = [name for name in _FIELDS if name not in _FIXED]
_COLUMNS = [column for column in conversations.c if column.name != "shop_id"]
_OURS = conversations.c.shop_id == p("shop_id")

_one = sa.select(*_COLUMNS).where(_OURS, conversations.c.id == p("conversation_id"))
_CONVERSATION, _CONVERSATION_LOCKED = Statement(_one), Statement(_one.with_for_update())
_of_visitor = sa.select(*_COLUMNS).where(_OURS, conversations.c.visitor_id == p("visitor_id"))
_OF_VISITOR, _OF_VISITOR_LOCKED = Statement(_of_visitor), Statement(_of_visitor.with_for_update())
_ASSIGNED = Statement(
    sa.select(*_COLUMNS)
    .where(_OURS, conversations.c.assignee_id == p("assignee_id"))
    .order_by(conversations.c.id)
    .with_for_update()
)
_LATEST = Statement(
    sa.select(*_COLUMNS)
    .where(_OURS)
    .order_by(conversations.c.last_message_at.desc(), conversations.c.id.desc())
    .limit(p("limit"))
)
_VERSIONS = Statement(
    sa.select(conversations.c.id, conversations.c.version)
    .where(_OURS)
    .order_by(conversations.c.last_message_at.desc(), conversations.c.id.desc())
    .limit(p("limit"))
)
_BY_IDS = ListStatement(lambda ids: sa.select(*_COLUMNS).where(_OURS, conversations.c.id.in_(ids)))
_ADD = Statement(conversations.insert())
_SAVE = Statement(
    conversations.update()
    .where(
        conversations.c.shop_id == p("b_shop_id"),
        conversations.c.id == p("b_id"),
        conversations.c.version == p("b_version"),
    )
    .values({name: p(name) for name in _SAVED})
    .values(version=conversations.c.version + 1)
    .returning(conversations.c.version)
)
_DELETE = Statement(conversations.delete().where(_OURS, conversations.c.id == p("conversation_id")))

_MESSAGE_FIELDS = [column.name for column in messages.c if column.name != "shop_id"]
_MESSAGE_COLUMNS = [column for column in messages.c if column.name != "shop_id"]
_THREAD = sa.and_(messages.c.shop_id == p("shop_id"), messages.c.conversation_id == p("conversation_id"))
_ADD_MESSAGE = Statement(messages.insert().returning(messages.c.sequence))
_MESSAGE = Statement(sa.select(*_MESSAGE_COLUMNS).where(_THREAD, messages.c.id == p("message_id")))
_BY_CLIENT_ID = Statement(
    sa.select(*_MESSAGE_COLUMNS).where(
        _THREAD, messages.c.sender == p("sender"), messages.c.client_id == p("client_id")
    )
)
_DELETE_MESSAGE = Statement(messages.delete().where(_THREAD, messages.c.id == p("message_id")))
_KNOWN = ListStatement(
    lambda ids: sa.select(messages.c.id, messages.c.client_id).where(
        _THREAD, sa.or_(messages.c.id.in_(ids), messages.c.client_id.in_(ids))
    )
)
_IS_TAKEN = Statement(
    sa.select(messages.c.sequence).where(messages.c.shop_id == p("shop_id"), messages.c.id == p("message_id"))
)
_page = sa.select(*_MESSAGE_COLUMNS).where(
    _THREAD,
    messages.c.sequence > p("after"),
    messages.c.sequence < p("before"),
    messages.c.is_note <= p("with_notes", type_=sa.Boolean),
)
_NEXT = Statement(_page.order_by(messages.c.sequence).limit(p("limit")))
_LAST = Statement(_page.order_by(messages.c.sequence.desc()).limit(p("limit")))
_BEYOND_ANY_SEQUENCE = 2**62


def _tails(ids: Sequence[sa.BindParameter[Any]]) -> sa.Select[Any]:
    newest_first = sa.func.row_number().over(
        partition_by=messages.c.conversation_id, order_by=messages.c.sequence.desc()
    )
    ranked = (
        sa.select(*_MESSAGE_COLUMNS, newest_first.label("rank"))
        .where(messages.c.shop_id == p("shop_id"), messages.c.conversation_id.in_(ids))
        .subquery()
    )
    columns = [ranked.c[name] for name in _MESSAGE_FIELDS]
    return (
        sa.select(*columns)
        .where(ranked.c.rank <= p("limit"))
        .order_by(ranked.c.conversation_id, ranked.c.sequence)
    )


_TAILS = ListStatement(_tails)


class SqlConversations:
    def __init__(self, session: Session, shop_id: str | None, record: Callable[[Event], None]) -> None:
        self._session, self._shop_id, self._record = session, shop_id, record

    def get(self, conversation_id: str, *, lock: bool = False) -> Conversation:
        statement = _CONVERSATION_LOCKED if lock else _CONVERSATION
        params = {"shop_id": self._shop_id, "conversation_id": conversation_id}
        row = statement.one(self._session, params, about=conversation_id)
        if row is None:
            raise ConversationNotFound
        return Conversation(**row)

    def find(self, conversation_id: str) -> Conversation | None:
        params = {"shop_id": self._shop_id, "conversation_id": conversation_id}
        row = _CONVERSATION.one(self._session, params, about=conversation_id)
        return Conversation(**row) if row else None

    def of_visitor(self, visitor_id: str, *, lock: bool = False) -> Conversation | None:
        statement = _OF_VISITOR_LOCKED if lock else _OF_VISITOR
        params = {"shop_id": self._shop_id, "visitor_id": visitor_id}
        row = statement.one(self._session, params, about=visitor_id)
        return Conversation(**row) if row else None

    def assigned_to(self, user_id: str) -> list[Conversation]:
        rows = _ASSIGNED.all(self._session, {"shop_id": self._shop_id, "assignee_id": user_id})
        return [Conversation(**row) for row in rows]

    def latest(self, limit: int) -> list[Conversation]:
        rows = _LATEST.all(self._session, {"shop_id": self._shop_id, "limit": limit})
        return [Conversation(**row) for row in rows]

    def versions(self, limit: int) -> dict[str, int]:
        return _VERSIONS.pairs(self._session, {"shop_id": self._shop_id, "limit": limit})

    def by_ids(self, conversation_ids: Sequence[str]) -> dict[str, Conversation]:
        rows = _BY_IDS.all(self._session, conversation_ids, {"shop_id": self._shop_id})
        return {row["id"]: Conversation(**row) for row in rows}

    def add(self, conversation: Conversation) -> None:
        row = {name: getattr(conversation, name) for name in _FIELDS}
        _ADD.run(self._session, {"shop_id": self._shop_id, **row})
        self._stage(conversation)

    def save(self, conversation: Conversation) -> None:
        def stored(row: Row) -> None:
            conversation.version = row["version"]

        # A second time in one transaction, it needs the version that the first time has made.
        self._session.before(_CONVERSATION, conversation.id)
        row = {name: getattr(conversation, name) for name in _SAVED}
        key = {"b_shop_id": self._shop_id, "b_id": conversation.id, "b_version": conversation.version}
        about = (conversation.id, conversation.visitor_id or "")
        _SAVE.change(self._session, {**key, **row}, about=about, stored=stored, refusal=_overtaken)
        self._stage(conversation)

    def delete(self, conversation: Conversation) -> None:
        _DELETE.run(self._session, {"shop_id": self._shop_id, "conversation_id": conversation.id})

    def _stage(self, conversation: Conversation) -> None:
        for event in conversation.release_events():
            self._record(event)


class SqlMessages:
    def __init__(self, session: Session, shop_id: str | None) -> None:
        self._session, self._shop_id = session, shop_id

    def add(self, message: Message) -> None:
        row = {name: getattr(message, name) for name in _MESSAGE_FIELDS}
        row["shop_id"], about = self._shop_id, (message.conversation_id,)
        _ADD_MESSAGE.change(self._session, row, about=about, refusal=_overtaken)

    def find(self, conversation_id: str, message_id: str) -> Message | None:
        return self._one(_MESSAGE, conversation_id=conversation_id, message_id=message_id)

    def by_client_id(self, conversation_id: str, sender: Sender, client_id: str) -> Message | None:
        return self._one(_BY_CLIENT_ID, conversation_id=conversation_id, sender=sender, client_id=client_id)

    def known(self, conversation_id: str, ids: Sequence[str]) -> set[str]:
        params = {"shop_id": self._shop_id, "conversation_id": conversation_id}
        rows = _KNOWN.all(self._session, ids, params)
        return {row[name] for row in rows for name in ("id", "client_id")}.intersection(ids)

    def is_free(self, message_id: str) -> bool:
        return _IS_TAKEN.one(self._session, {"shop_id": self._shop_id, "message_id": message_id}) is None

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
        rows = (_LAST if after is None else _NEXT).all(self._session, params)
        found = [Message(**row) for row in rows]
        return found[::-1] if after is None else found

    def tails(self, conversation_ids: Sequence[str], limit: int) -> dict[str, list[Message]]:
        params = {"shop_id": self._shop_id, "limit": limit}
        found: dict[str, list[Message]] = {}
        for row in _TAILS.all(self._session, conversation_ids, params):
            found.setdefault(row["conversation_id"], []).append(Message(**row))
        return found

    def delete(self, conversation_id: str, message_id: str) -> bool:
        params = {"shop_id": self._shop_id, "conversation_id": conversation_id, "message_id": message_id}
        return _DELETE_MESSAGE.run(self._session, params) == 1

    def _one(self, statement: Statement, **params: str) -> Message | None:
        row = statement.one(self._session, {"shop_id": self._shop_id, **params})
        return Message(**row) if row else None


def _overtaken() -> ConcurrentUpdate:
    return ConcurrentUpdate(thing="conversation")
