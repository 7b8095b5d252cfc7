"""Proves that what is stored hangs together: the checks behind `parley verify`."""

from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from adapters.db.conversations import conversations, messages
from adapters.db.files import files, stored_objects
from adapters.db.shops import members, shop_streams, shops
from adapters.db.stream import events
from core.files.model import FileState


@dataclass(frozen=True, slots=True)
class Check:
    """A rule, and the query for the first rows that break it: none when all is well."""

    rule: str
    breakers: sa.Select[tuple[str, ...]]


_last = (
    sa.select(
        messages.c.shop_id,
        messages.c.conversation_id,
        sa.func.max(messages.c.sequence).label("newest"),
        sa.func.max(messages.c.sequence).filter(messages.c.is_note.is_(False)).label("newest_said"),
    )
    .group_by(messages.c.shop_id, messages.c.conversation_id)
    .subquery()
)
_streams = (
    sa.select(
        events.c.shop_id,
        sa.func.min(events.c.position).label("oldest"),
        sa.func.max(events.c.position).label("newest"),
        sa.func.count().label("number"),
    )
    .group_by(events.c.shop_id)
    .subquery()
)
_conversation = (conversations.c.shop_id, conversations.c.id)

CHECKS = (
    Check(
        "each conversation's sequence reaches its newest message",
        sa.select(*_conversation)
        .join(
            _last,
            sa.and_(
                _last.c.shop_id == conversations.c.shop_id, _last.c.conversation_id == conversations.c.id
            ),
        )
        .where(_last.c.newest > conversations.c.last_sequence),
    ),
    Check(
        "nobody has read beyond the newest message",
        sa.select(*_conversation).where(
            sa.or_(
                conversations.c.customer_read_sequence > conversations.c.last_sequence,
                conversations.c.agent_read_sequence > conversations.c.last_sequence,
            )
        ),
    ),
    Check(
        "every message belongs to a conversation",
        sa.select(messages.c.shop_id, messages.c.id)
        .outerjoin(
            conversations,
            sa.and_(
                conversations.c.shop_id == messages.c.shop_id,
                conversations.c.id == messages.c.conversation_id,
            ),
        )
        .where(conversations.c.id.is_(None)),
    ),
    Check(
        "every file's bytes are noted where they are kept",
        sa.select(files.c.shop_id, files.c.id)
        .outerjoin(stored_objects, stored_objects.c.key == files.c.object_key)
        .where(
            sa.or_(files.c.state != FileState.PENDING.value, files.c.object_key.isnot(None)),
            stored_objects.c.key.is_(None),
        ),
    ),
    Check(
        "each stream of events has no gap",
        sa.select(_streams.c.shop_id).where(_streams.c.newest - _streams.c.oldest + 1 != _streams.c.number),
    ),
    Check(
        "each stream ends at its shop's position",
        sa.select(shop_streams.c.shop_id)
        .join(_streams, _streams.c.shop_id == shop_streams.c.shop_id)
        .where(_streams.c.newest != shop_streams.c.position),
    ),
    Check(
        "every shop's owner is in its team",
        sa.select(shops.c.shop_id)
        .outerjoin(
            members, sa.and_(members.c.shop_id == shops.c.shop_id, members.c.user_id == shops.c.owner_id)
        )
        .where(members.c.user_id.is_(None)),
    ),
)


_kept = sa.select(files.c.object_key, files.c.shop_id, files.c.id).where(files.c.object_key.isnot(None))


def kept(connection: sa.Connection, after: str, limit: int) -> list[tuple[str, str]]:
    """The keys of the next objects that files have, in their order, and each file as shop/id."""
    query = _kept.where(files.c.object_key > after).order_by(files.c.object_key).limit(limit)
    return [(row.object_key, f"{row.shop_id}/{row.id}") for row in connection.execute(query)]


def is_kept(connection: sa.Connection, key: str) -> bool:
    return connection.execute(_kept.where(files.c.object_key == key)).first() is not None


def breakers(connection: sa.Connection, check: Check, limit: int = 1) -> Iterator[str]:
    """The first rows that break the rule, as shop/id."""
    for row in connection.execute(check.breakers.limit(limit)):
        yield "/".join(map(str, row))
