"""Files, the messages that carry them, and every object that was written for one."""

from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy import bindparam as p

from adapters.db.conversations import conversations
from adapters.db.statements import Row, Session, Statement
from adapters.db.tables import Choice, Id, UtcDateTime, metadata
from core.files.model import File, FileState
from core.kernel import ConcurrentUpdate
from ports.files import Place

OBJECT_KEY = sa.String(160)

files = sa.Table(
    "files",
    metadata,
    sa.Column("shop_id", Id, sa.ForeignKey("shops.shop_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("id", Id, primary_key=True),
    sa.Column("conversation_id", Id, nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("key", sa.String(64), nullable=False, unique=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("media", sa.String(64), nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("put_digest", sa.String(64), nullable=False, unique=True),
    sa.Column("token_digest", sa.String(64), nullable=False),
    sa.Column("state", Choice(FileState), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("object_key", OBJECT_KEY, unique=True),
    sa.Column("sha256", sa.String(64)),
    sa.Column("is_used", sa.Boolean, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
    sa.Column("touched_at", UtcDateTime, nullable=False, index=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.ForeignKeyConstraint(
        ["shop_id", "conversation_id"],
        ["conversations.shop_id", "conversations.id"],
        name="fk_files_conversation_id",
        ondelete="CASCADE",
    ),
    sa.UniqueConstraint("shop_id", "conversation_id", "number", name="uq_files_number"),
)

# Visitors' uploads name their conversation and nothing else: its shop is looked up by it.
sa.Index("ix_conversations_id", conversations.c.id)

message_files = sa.Table(
    "message_files",
    metadata,
    sa.Column("shop_id", Id, primary_key=True),
    sa.Column("message_id", Id, primary_key=True),
    sa.Column("file_id", Id, primary_key=True),
    sa.ForeignKeyConstraint(
        ["shop_id", "message_id"],
        ["messages.shop_id", "messages.id"],
        name="fk_message_files_message_id",
        ondelete="CASCADE",
    ),
    sa.ForeignKeyConstraint(
        ["shop_id", "file_id"],
        ["files.shop_id", "files.id"],
        name="fk_message_files_file_id",
        ondelete="CASCADE",
    ),
    sa.Index("ix_message_files_file_id", "shop_id", "file_id"),
)

stored_objects = sa.Table(
    "stored_objects",
    metadata,
    sa.Column("key", OBJECT_KEY, primary_key=True),
    sa.Column("created_at", UtcDateTime, nullable=False, index=True),
)

_FIXED = ("shop_id", "id", "conversation_id", "number", "key", "url", "created_at", "version")
_SAVED = [column.name for column in files.c if column.name not in _FIXED]
_is_carried = (
    sa.select(message_files.c.file_id)
    .where(message_files.c.shop_id == files.c.shop_id, message_files.c.file_id == files.c.id)
    .exists()
)

_find = sa.select(files).where(
    files.c.shop_id == p("shop_id"),
    files.c.conversation_id == p("conversation_id"),
    files.c.number == p("number"),
)
_FIND, _FIND_LOCKED = Statement(_find), Statement(_find.with_for_update())
_BY_URL = Statement(
    sa.select(files).where(files.c.shop_id == p("shop_id"), files.c.key == p("key"), files.c.url == p("url"))
)
_BY_PUT_DIGEST = Statement(sa.select(files).where(files.c.put_digest == p("put_digest")))
_SHOWN = Statement(
    sa.select(files).where(
        files.c.key == p("key"),
        files.c.state == FileState.STORED.value,
        sa.or_(files.c.is_used.is_(False), _is_carried),
    )
)
_PLACE = Statement(
    sa.select(conversations.c.shop_id, conversations.c.id, conversations.c.visitor_id).where(
        conversations.c.id == p("conversation_id")
    )
)
_WAITING = Statement(
    sa.select(sa.func.count().label("number")).where(
        files.c.shop_id == p("shop_id"),
        files.c.conversation_id == p("conversation_id"),
        files.c.is_used.is_(False),
        sa.or_(files.c.state != FileState.PENDING.value, files.c.expires_at > p("now")),
    )
)
_ADD = Statement(files.insert())
_SAVE = Statement(
    files.update()
    .where(files.c.shop_id == p("b_shop_id"), files.c.id == p("b_id"), files.c.version == p("b_version"))
    .values({name: p(name) for name in _SAVED})
    .values(version=files.c.version + 1)
)
_ATTACH = Statement(message_files.insert())
# What is used again meanwhile has a new time, which the database looks at once more before it deletes.
_DROP_UNUSED = Statement(files.delete().where(files.c.touched_at < p("before"), sa.not_(_is_carried)))

_ADD_OBJECT = Statement(stored_objects.insert())
_ORPHANS = Statement(
    sa.select(stored_objects.c.key)
    .where(
        stored_objects.c.created_at < p("before"),
        ~sa.select(files.c.id).where(files.c.object_key == stored_objects.c.key).exists(),
    )
    .order_by(stored_objects.c.created_at)
    .limit(p("limit"))
)
_GIVE_UP = Statement(
    stored_objects.update()
    .where(stored_objects.c.key.in_(sa.select(files.c.object_key).where(files.c.shop_id == p("b_shop_id"))))
    .values(created_at=p("at", type_=UtcDateTime))
)
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_FORGET = Statement(stored_objects.delete().where(stored_objects.c.key == p("b_key")))


class SqlFiles:
    def __init__(self, session: Session, shop_id: str | None) -> None:
        self._session, self._shop_id = session, shop_id

    def add(self, file: File) -> None:
        row = {column.name: getattr(file, column.name) for column in files.c}
        _ADD.run(self._session, {**row, "shop_id": self._shop_id})

    def save(self, file: File) -> None:
        row = {name: getattr(file, name) for name in _SAVED}
        key = {"b_shop_id": self._shop_id, "b_id": file.id, "b_version": file.version}
        if _SAVE.run(self._session, {**key, **row}) != 1:
            raise ConcurrentUpdate(thing="file")
        file.version += 1

    def find(self, conversation_id: str, number: int, *, lock: bool = False) -> File | None:
        statement = _FIND_LOCKED if lock else _FIND
        params = {"shop_id": self._shop_id, "conversation_id": conversation_id, "number": number}
        return _file(statement.one(self._session, params))

    def by_url(self, url: str) -> File | None:
        key = url.rpartition("/")[0].rpartition("/")[2]
        return _file(_BY_URL.one(self._session, {"shop_id": self._shop_id, "key": key, "url": url}))

    def attach(self, message_id: str, files: Sequence[File]) -> None:
        rows = [{"shop_id": self._shop_id, "message_id": message_id, "file_id": file.id} for file in files]
        _ATTACH.run_many(self._session, rows)

    def waiting(self, conversation_id: str, now: datetime) -> int:
        params = {"shop_id": self._shop_id, "conversation_id": conversation_id, "now": now}
        row = _WAITING.one(self._session, params)
        return int(row["number"]) if row else 0

    def by_put_digest(self, digest: str) -> File | None:
        return _file(_BY_PUT_DIGEST.one(self._session, {"put_digest": digest}))

    def shown(self, key: str) -> File | None:
        return _file(_SHOWN.one(self._session, {"key": key}))

    def place_of(self, conversation_id: str) -> Place | None:
        row = _PLACE.one(self._session, {"conversation_id": conversation_id})
        return Place(row["shop_id"], row["id"], row["visitor_id"]) if row else None

    def give_up_objects(self) -> None:
        _GIVE_UP.run(self._session, {"b_shop_id": self._shop_id, "at": _LONG_AGO})

    def drop_unused(self, before: datetime) -> int:
        return _DROP_UNUSED.run(self._session, {"before": before})


class SqlStoredObjects:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, key: str, now: datetime) -> None:
        _ADD_OBJECT.run(self._session, {"key": key, "created_at": now})

    def orphans(self, before: datetime, limit: int) -> list[str]:
        rows = _ORPHANS.all(self._session, {"before": before, "limit": limit})
        return [row["key"] for row in rows]

    def forget(self, keys: Sequence[str]) -> None:
        _FORGET.run_many(self._session, [{"b_key": key} for key in keys])


def _file(row: Row | None) -> File | None:
    return File(**row) if row else None
