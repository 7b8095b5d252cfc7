"""What is remembered of a Shop that was shown or sent: a part for each of its lists, one for all the rest."""

from typing import Any

import msgspec
from msgspec import UNSET
from msgspec.structs import fields

from adapters.wire import memories
from adapters.wire.settings import ShopSettings
from core.kernel import Invalid
from core.shops.edits import Area

Entry = dict[str, Any]

HEAD = "head"
"""The part of a memory that is about everything but the collections."""

ITEMS, FORMS, ORDERS, CONVERSATIONS = "items", "forms", "formSubmissions", "liveConversations"
COLLECTIONS = {
    ITEMS: (Area.PRODUCTS, "id"),
    FORMS: (Area.FORMS, "id"),
    ORDERS: (Area.ORDERS, "submissionId"),
    CONVERSATIONS: (Area.CONVERSATIONS, "id"),
}
"""What of a Shop is a list of records of their own, and which of their fields is the id."""

SETTINGS = {field.encode_name: field for field in fields(ShopSettings)}
OPTIONAL = {name for name, field in SETTINGS.items() if field.default is UNSET}
"""Settings that a whole document clears by leaving them out."""

TWINS = {field.name: name for name, field in SETTINGS.items() if field.name != name}
HEAD_AREAS = {
    "name": Area.SETTINGS,
    "currency": Area.SETTINGS,
    "subscription": Area.SUBSCRIPTION,
    "team": Area.TEAM,
}
raw_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class HeadMemory(msgspec.Struct):
    """`digests`: of the bytes of each field that is no list of records, `trees`: of what it says.

    `lists`: digests of the bytes of the lists.
    """

    digests: dict[str, str] = {}
    trees: dict[str, Any] = {}
    lists: dict[str, str] = {}

    def digest(self, name: str) -> str | None:
        return (self.lists if name in COLLECTIONS else self.digests).get(name)


def head_memory(head: bytes) -> bytes:
    """What is remembered of a Shop that was sent, but for its lists of records."""
    sent = raw_fields(head)
    trees = {
        name: memories.tree(team_of(value) if name == "team" else value)
        for name, value in msgspec.json.decode(head).items()
        if name in SETTINGS or name in HEAD_AREAS
    }
    return _encode({"digests": {name: memories.digest(raw) for name, raw in sent.items()}, "trees": trees})


class EntryMemory(msgspec.Struct, array_like=True):
    """One record: the digest of its bytes, and the fingerprint of each field.

    Of most records only the digest is ever looked at: the fields are left as they are written.
    """

    digest: str
    written: msgspec.Raw

    @property
    def fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = msgspec.json.decode(self.written)
        return fields


Remembered = dict[str, EntryMemory]
read_head = msgspec.json.Decoder(HeadMemory).decode
read_entries = msgspec.json.Decoder(dict[str, EntryMemory]).decode
_encode = msgspec.json.Encoder().encode


def team_of(value: Any) -> Entry:
    """The roles by user id, of a list of people or of an object that is this already. Raises Invalid."""
    if isinstance(value, dict):
        people = list(value.items())
    elif isinstance(value, list) and all(isinstance(entry, dict) for entry in value):
        people = [(entry.get("userId", entry.get("user_id")), entry.get("role")) for entry in value]
    else:
        raise Invalid(field="team", rule="must be a list of people")
    if not all(isinstance(user_id, str) and isinstance(role, str) for user_id, role in people):
        raise Invalid(field="team", rule="must have a userId and a role in each entry")
    return dict(people)
