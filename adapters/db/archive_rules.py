"""How each table of a shop travels in an archive.

Every table with a `shop_id` goes along without being named here. This is for what must not arrive as it left;
a test wants a decision about each table all the same, so that nobody forgets to think of one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from adapters.db.conversations import conversations
from adapters.db.files import files
from adapters.db.statements import Row
from core.visits.identity import PREFIX, record_of
from core.webhooks.model import DisabledReason, new_secret, secret_record


@dataclass(frozen=True, slots=True)
class Sealed:
    """A column that is sealed with the server's own keys, for the record that `record` names.

    Where no key opens it, `made` makes a new one of a random text; without `made` it is forgotten, and the
    column `until` with it. `called` is what people know it as.
    """

    column: str
    record: Callable[[str, Row], str]
    called: str
    made: Callable[[str], str] | None = None
    until: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """How a table's rows travel.

    `only`: those that do. `object_key`: the column that says where the storage keeps a row's bytes, of the
    length `size` and the hash `sha256`. `cleared`: columns that mean nothing on another server. `json_texts`:
    columns of text that hold JSON. `yields`: a column of which another shop may hold the same; then the row
    stays behind.

    `is_copied`, `in_copy`, `anew`: what is different when the shop is to stand beside its original: whether
    the rows come along, columns with a value of their own, and columns that are unique over all shops.
    """

    only: sa.ColumnElement[bool] | None = None
    object_key: str | None = None
    cleared: tuple[str, ...] = ()
    json_texts: tuple[str, ...] = ()
    yields: str | None = None
    sealed: tuple[Sealed, ...] = ()
    is_copied: bool = True
    in_copy: Mapping[str, Any] = field(default_factory=dict)
    anew: Mapping[str, str] = field(default_factory=dict)
    """Column, and what the new text begins with."""


AS_IT_IS = Rule()


def _of_endpoint(shop_id: str, row: Row) -> str:
    return secret_record(shop_id, row["id"])


def _of_shop(shop_id: str, row: Row) -> str:
    return record_of(shop_id)


RULES: Mapping[str, Rule] = {
    "shops": Rule(anew={"public_key": "pk_", "admin_key_digest": ""}),
    # The stream is the original's: its events, its webhooks' log and what waits to be done name what a copy
    # calls otherwise, and a copy must not remind the same people a second time.
    "shop_streams": Rule(in_copy={"position": 0}),
    "events": Rule(json_texts=("payload",), is_copied=False),
    "deliveries": Rule(json_texts=("payload",), cleared=("claimed_until",), is_copied=False),
    "webhook_deliveries": Rule(json_texts=("body",), is_copied=False),
    "webhook_attempts": Rule(is_copied=False),
    "notifications": Rule(is_copied=False),
    # Nobody has seen anything of the copy yet.
    "memories": Rule(is_copied=False),
    "memory_parts": Rule(is_copied=False),
    "webhook_endpoints": Rule(
        cleared=("claimed_until",),
        sealed=(
            Sealed("secret", _of_endpoint, "the secret of the webhook {url}", made=new_secret),
            Sealed(
                "previous_secret",
                _of_endpoint,
                "the former secret of the webhook {url}",
                until="previous_secret_until",
            ),
        ),
        in_copy={
            "position": 0,
            "due_at": None,
            "is_active": False,
            "disabled_reason": DisabledReason.BY_HAND,
        },
    ),
    "identity_secrets": Rule(
        sealed=(
            Sealed(
                "sealed",
                _of_shop,
                "the secret that known visitors are vouched for with",
                made=lambda random: PREFIX + random,
            ),
            Sealed(
                "previous_sealed",
                _of_shop,
                "the former secret that known visitors are vouched for with",
                until="previous_until",
            ),
        )
    ),
    # Uploads name their conversation and nothing else, so its id has to be its alone on a server.
    "conversations": Rule(anew={"id": ""}),
    "visitor_sessions": Rule(anew={"id": ""}),
    # What was announced and has not come is on its way to the old server. Objects are named anew at each
    # import, so that what is left of one that broke off stays unused, and is swept.
    "files": Rule(
        only=files.c.object_key.isnot(None),
        object_key="object_key",
        anew={"key": "", "put_digest": ""},
    ),
    "site_hosts": Rule(yields="pattern"),
    **dict.fromkeys(
        (
            *("members", "sites", "known_visitors", "messages", "message_files"),
            *("products", "stock_changes", "forms", "orders", "order_lines", "order_counters"),
        ),
        AS_IT_IS,
    ),
}

NOT_OF_SHOPS = {
    "users": "people, who may work for several shops: matched by email, or made without a password",
    "logins": "end with the server that they were made on",
    "login_secrets": "as logins",
    "push_subscriptions": "people's browsers, which are bound to this server's key",
    "pushes": "what those were told",
    "stored_answers": "answers to requests that may be repeated on the old server, for a day",
    "stored_objects": "what this server's storage holds: written anew as files arrive",
}
"""Tables without a `shop_id`, and why they stay where they are."""

REFERENCES: Mapping[str, sa.Column[Any]] = {"conversation_id": conversations.c.id}
"""Columns by whose name rows of any table point to something whose id is made anew in a copy."""


def rule_of(table: str) -> Rule:
    return RULES.get(table, AS_IT_IS)
