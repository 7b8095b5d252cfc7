"""What clients were shown of their shops."""

import zlib
from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import bindparam as p

from adapters.db.statements import Session, Statement
from adapters.db.tables import Id, UtcDateTime, metadata
from ports.memories import Recollection

FASTEST = 1
"""The level of compression: parts are names and digests, and shrink to a seventh in a millisecond."""

memories = sa.Table(
    "memories",
    metadata,
    sa.Column("shop_id", Id, sa.ForeignKey("shops.shop_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("id", Id, primary_key=True),
    sa.Column("client", sa.String(128), nullable=False),
    sa.Column("tab", sa.String(128)),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("seen_at", UtcDateTime, nullable=False, index=True),
    sa.UniqueConstraint("shop_id", "client", "tab", name="uq_memories_tab"),
)

memory_parts = sa.Table(
    "memory_parts",
    metadata,
    sa.Column("shop_id", Id, primary_key=True),
    sa.Column("memory_id", Id, primary_key=True),
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.ForeignKeyConstraint(
        ["shop_id", "memory_id"],
        ["memories.shop_id", "memories.id"],
        name="fk_memory_parts_memory_id",
        ondelete="CASCADE",
    ),
)

_COLUMNS = [column for column in memories.c if column.name != "shop_id"]
_OURS = memories.c.shop_id == p("shop_id")
_OF_CLIENT = Statement(
    sa.select(*_COLUMNS)
    .where(_OURS, memories.c.client == p("client"))
    .order_by(memories.c.seen_at.desc(), memories.c.id.desc())
)
_OF_TAB = Statement(
    sa.select(*_COLUMNS).where(_OURS, memories.c.client == p("client"), memories.c.tab == p("tab"))
)
_ADD = Statement(memories.insert())
_TOUCH = Statement(
    memories.update()
    .where(memories.c.shop_id == p("b_shop_id"), memories.c.id == p("b_id"))
    .values(digest=p("digest"), seen_at=p("seen_at"))
)
_FORGET = Statement(memories.delete().where(_OURS, memories.c.id == p("id")))
_PRUNE = Statement(memories.delete().where(memories.c.seen_at < p("before")))
_PARTS = Statement(
    sa.select(memory_parts.c.name, memory_parts.c.content).where(
        memory_parts.c.shop_id == p("shop_id"), memory_parts.c.memory_id == p("id")
    )
)
_ADD_PART = Statement(memory_parts.insert())
_DROP_PART = Statement(
    memory_parts.delete().where(
        memory_parts.c.shop_id == p("shop_id"),
        memory_parts.c.memory_id == p("id"),
        memory_parts.c.name == p("name"),
    )
)


class SqlMemories:
    def __init__(self, session: Session, shop_id: str | None) -> None:
        self._session, self._shop_id = session, shop_id

    def of_client(self, client: str) -> list[Recollection]:
        rows = _OF_CLIENT.all(self._session, {"shop_id": self._shop_id, "client": client})
        return [Recollection(**row) for row in rows]

    def of_tab(self, client: str, tab: str) -> Recollection | None:
        params = {"shop_id": self._shop_id, "client": client, "tab": tab}
        row = _OF_TAB.one(self._session, params)
        return Recollection(**row) if row else None

    def parts(self, recollection_id: str) -> dict[str, bytes]:
        rows = _PARTS.all(self._session, {"shop_id": self._shop_id, "id": recollection_id})
        return {row["name"]: zlib.decompress(row["content"]) for row in rows}

    def keep(self, recollection: Recollection, parts: Mapping[str, bytes]) -> None:
        key = {"b_shop_id": self._shop_id, "b_id": recollection.id}
        touched = {"digest": recollection.digest, "seen_at": recollection.seen_at}
        if _TOUCH.run(self._session, key | touched) == 0:
            row = {column.name: getattr(recollection, column.name) for column in _COLUMNS}
            _ADD.run(self._session, {"shop_id": self._shop_id, **row})
        for name, content in parts.items():
            of_memory = {"shop_id": self._shop_id, "name": name}
            _DROP_PART.run(self._session, {**of_memory, "id": recollection.id})
            packed = zlib.compress(content, FASTEST)
            _ADD_PART.run(self._session, {**of_memory, "memory_id": recollection.id, "content": packed})

    def forget(self, recollection_id: str) -> None:
        _FORGET.run(self._session, {"shop_id": self._shop_id, "id": recollection_id})

    def prune(self, before: datetime) -> int:
        return _PRUNE.run(self._session, {"before": before})
