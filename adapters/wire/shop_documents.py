"""A whole Shop, or a part of one, as the owner's pages send it back, and what they have changed in it.

Pages send everything they hold several times a second while somebody types. So the bytes of each part are
compared first, with those that the client sent or was shown before; only what differs is decoded at all.
"""

import re
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import msgspec
from msgspec import UNSET
from msgspec.structs import fields

from adapters.wire import memories
from adapters.wire.complaints import invalid
from adapters.wire.conversations import (
    CHANNEL_SYNONYMS,
    EPOCH,
    ConversationPart,
    MessageIn,
    conversation_out,
    word,
)
from adapters.wire.forms import FormPart
from adapters.wire.items import ItemPart, item_out
from adapters.wire.memories import MISSING
from adapters.wire.orders import EXTRAS, order_out
from adapters.wire.orders import TWINS as ORDER_TWINS
from adapters.wire.orders import parse as parse_order
from adapters.wire.settings import ShopSettings, document_of, settings_of
from adapters.wire.strict_json import OddJson, refuse_odd
from adapters.wire.subscriptions import SubscriptionPart
from adapters.wire.team import ROLES, role_of
from adapters.wire.twins import wire_names
from core.catalogue.model import ProductChanges
from core.conversations.views import ConversationView
from core.kernel import Invalid, named_id
from core.orders.documents import OrderDocument
from core.shops.edits import (
    EXPENSES,
    Area,
    ConversationEdit,
    ConversationEdits,
    Edits,
    FormEdit,
    Memory,
    NewConversation,
    ProductEdit,
    RemovedConversation,
    SaidElsewhere,
    ShopEdits,
    Stored,
)
from core.shops.policy import Role
from core.shops.subscription import SubscriptionChanges

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
ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_WHOLE = {"id", "ownerId", "subscription", ITEMS}
_raw = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_raws = msgspec.json.Decoder(list[msgspec.Raw]).decode


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
    sent = _raw(head)
    trees = {
        name: memories.tree(_team_of(value) if name == "team" else value)
        for name, value in msgspec.json.decode(head).items()
        if name in SETTINGS or name in HEAD_AREAS
    }
    return _encode({"digests": {name: memories.digest(raw) for name, raw in sent.items()}, "trees": trees})


class EntryMemory(msgspec.Struct, array_like=True):
    """One record: the digest of its bytes, and the fingerprint of each field."""

    digest: str
    fields: dict[str, Any]


Remembered = dict[str, EntryMemory]
_head = msgspec.json.Decoder(HeadMemory).decode
_entries = msgspec.json.Decoder(dict[str, EntryMemory]).decode
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class PageDocument:
    """Satisfies core.shops.edits.ShopDocument. `shop_id`: the shop that it was sent to."""

    raw: Mapping[str, msgspec.Raw]
    digest: str
    shop_id: str = ""

    @classmethod
    def read(cls, body: bytes) -> "PageDocument":
        """Raises ValueError or RecursionError for what is no JSON object, OddJson for an odd one."""
        if b"\\u0000" in body:
            refuse_odd(body)
        raw = _raw(body or b"{}")
        if len(raw) > len(SETTINGS) * 4 or _is_spread(body, raw):
            refuse_odd(body)  # what msgspec would let pass, such as a field that is there twice
        own = {
            TWINS[name]: value
            for name, value in raw.items()
            if TWINS.get(name, name) not in raw and name in TWINS
        }
        return cls({**own, **raw}, memories.digest(body))

    def of(self, shop_id: str) -> "PageDocument":
        return replace(self, shop_id=shop_id)

    @cached_property
    def is_whole(self) -> bool:
        return self.raw.keys() >= _WHOLE and bytes(self.raw["id"]) == _encode(self.shop_id)

    @cached_property
    def areas(self) -> frozenset[Area]:
        found = {HEAD_AREAS[name] for name in HEAD_AREAS if name in self.raw}
        found |= {area for name, (area, _) in COLLECTIONS.items() if name in self.raw}
        found |= {
            Area.EXPENSES if name == EXPENSES else Area.SETTINGS for name in SETTINGS if name in self.raw
        }
        return frozenset(found)

    @cached_property
    def digests(self) -> dict[str, str]:
        return {name: memories.digest(raw) for name, raw in self.raw.items()}

    def edits(self, memory: Memory, stored: Stored, now: datetime) -> ShopEdits:
        """Raises Invalid."""
        try:
            return self._edits(_head(memory[HEAD]) if HEAD in memory else HeadMemory(), memory, stored, now)
        except msgspec.ValidationError as error:
            raise invalid(error) from None
        except OddJson as error:
            raise Invalid(field="body", rule=f"is not acceptable: {error}") from None

    def distance(self, memory: Memory) -> int:
        """Changed fields and records; those that it lacks count, those that only it has do not."""
        head = _head(memory[HEAD]) if HEAD in memory else HeadMemory()
        changed = [name for name, digest in self.digests.items() if head.digest(name) != digest]
        return len(changed) + sum(
            self._collection(name, memory).distance for name in COLLECTIONS if name in changed
        )

    def remembered(self, memory: Memory) -> Memory:
        head = _head(memory[HEAD]) if HEAD in memory else HeadMemory()
        changed = {name for name, digest in self.digests.items() if head.digest(name) != digest}
        if not changed:
            return {}
        for name in changed:
            (head.lists if name in COLLECTIONS else head.digests)[name] = self.digests[name]
        for name in changed & (SETTINGS.keys() | HEAD_AREAS.keys()):
            head.trees[name] = memories.tree(self._value(name))
        gone = head.trees.keys() - self.raw.keys() if self.is_whole else set()
        for name in gone:
            del head.trees[name]
            head.digests.pop(name, None)
        parts = {HEAD: _encode(head)}
        for name in changed & COLLECTIONS.keys():
            parts[name] = self._collection(name, memory).remembered()
        return parts

    def _edits(self, head: HeadMemory, memory: Memory, stored: Stored, now: datetime) -> ShopEdits:
        def differs(name: str) -> bool:
            return name in self.raw and head.digest(name) != self.digests[name]

        settings, cleared = self._settings(head, stored, differs)
        currency = self._text("currency", head) if differs("currency") else None
        of = {
            name: self._collection(name, memory) if differs(name) else _Collection.empty()
            for name in COLLECTIONS
        }
        return ShopEdits(
            name=self._text("name", head) if differs("name") else None,
            currency=currency,
            settings=settings,
            settings_cleared=cleared,
            subscription=self._subscription(head) if differs("subscription") else {},
            team=self._team(head, stored) if differs("team") else None,
            products=_products(of[ITEMS], stored, (currency or stored.shop.currency).strip().upper(), self),
            forms=_forms(of[FORMS], stored, self),
            orders=_orders(of[ORDERS], stored, self),
            conversations=_conversations(of[CONVERSATIONS], stored, self),
        )

    def _settings(
        self, head: HeadMemory, stored: Stored, differs: Callable[[str], bool]
    ) -> tuple[dict[str, Any], list[str]]:
        """The settings that the client has changed, whole, under the names that they are stored by."""
        names = [name for name in SETTINGS if differs(name)]
        shown = msgspec.to_builtins(settings_of(stored.shop.settings)) if names or self.is_whole else {}
        changed: Entry = {}
        for name in names:
            remembered, value = head.trees.get(name, MISSING), self._value(name)
            if remembered is MISSING or memories.tree(value) != remembered:
                changed[name] = memories.merged(remembered, shown.get(name), value, drops=self.is_whole)
        known = head.trees.keys() if head.trees else shown.keys()
        gone = [name for name in OPTIONAL & known - self.raw.keys() if name in shown] if self.is_whole else []
        stored_now = document_of(msgspec.convert(wire_names(changed, ShopSettings), ShopSettings))
        own = {SETTINGS[name].name for name in changed}
        kept = {name: value for name, value in stored_now.items() if name in own}
        emptied = [name for name in own if name not in kept]
        return kept, [*emptied, *(SETTINGS[name].name for name in gone)]

    def _subscription(self, head: HeadMemory) -> SubscriptionChanges:
        value = self._value("subscription")
        if not isinstance(value, dict):
            raise Invalid(field="subscription", rule="must be an object")
        known = head.trees.get("subscription")
        remembered = known.get("{}", {}) if isinstance(known, dict) else {}
        differing = {
            name: entry
            for name, entry in value.items()
            if name not in remembered or remembered[name] != memories.tree(entry)
        }
        gone = dict.fromkeys(name for name in remembered if name not in value)
        changed = wire_names({**differing, **gone}, SubscriptionPart)
        return msgspec.convert(changed, SubscriptionPart).changes()

    def _team(self, head: HeadMemory, stored: Stored) -> dict[str, Role]:
        """The team with what the client has changed in it. A whole list without memory is the team."""
        known = head.trees.get("team", MISSING)
        current = {member.user_id: ROLES[member.role] for member in stored.team()}
        wanted = memories.merged(known, current, _team_of(self._value("team")), drops=True)
        return {user_id: role_of(role) for user_id, role in wanted.items()}

    def _text(self, name: str, head: HeadMemory) -> str | None:
        """None where the client has not changed it, whatever it is now."""
        value = self._value(name)
        if not isinstance(value, str):
            raise Invalid(field=name, rule="must be a text")
        return None if head.trees.get(name, MISSING) == memories.tree(value) else value

    def _value(self, name: str) -> Any:
        raw = bytes(self.raw[name])
        refuse_odd(raw)
        value = msgspec.json.decode(raw)
        return _team_of(value) if name == "team" else value

    def _collection(self, name: str, memory: Memory) -> "_Collection":
        key = COLLECTIONS[name][1]
        remembered = _entries(memory[name]) if name in memory else {}
        return _Collection.compare(self.raw[name], key, remembered, seed=f"{self.shop_id} {name}")


def _is_spread(body: bytes, raw: Mapping[str, msgspec.Raw]) -> bool:
    """Whether there is more in the object than its fields, as compact JSON writes them."""
    expected = 1 + sum(len(_encode(name)) + 2 + len(bytes(value)) for name, value in raw.items())
    return len(body) > max(expected, 2)


def _team_of(value: Any) -> Entry:
    if isinstance(value, dict):
        return value
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise Invalid(field="team", rule="must be a list of people")
    people = {entry.get("userId", entry.get("user_id")): entry.get("role") for entry in value}
    for user_id, role in people.items():
        if not isinstance(user_id, str) or not isinstance(role, str):
            raise Invalid(field="team", rule="must have a userId and a role in each entry")
    return people


@dataclass(frozen=True)
class _Collection:
    """The records of one list, set against what is remembered of them.

    `touched` and `unknown`: those whose bytes are not remembered, by id.
    """

    digests: Mapping[str, str]
    touched: Mapping[str, Entry]
    unknown: Mapping[str, Entry]
    remembered_entries: Mapping[str, EntryMemory]
    is_remembered: bool

    @classmethod
    def empty(cls) -> "_Collection":
        return cls({}, {}, {}, {}, False)

    @classmethod
    def compare(cls, raw: msgspec.Raw, key: str, remembered: Remembered, *, seed: str) -> "_Collection":
        """Raises ValidationError, or OddJson."""
        by_digest = {entry.digest: id for id, entry in remembered.items()}
        digests: dict[str, str] = {}
        touched: dict[str, Entry] = {}
        unknown: dict[str, Entry] = {}
        for part in _raws(raw):
            digest = memories.digest(part)
            if (known := by_digest.get(digest)) is not None:
                digests[known] = digest
                continue
            refuse_odd(bytes(part))
            entry = msgspec.json.decode(part, type=dict[str, Any])
            id = _own_id(entry, key) or named_id(seed, digest)
            digests[id] = digest
            (touched if id in remembered else unknown)[id] = entry
        return cls(digests, touched, unknown, remembered, bool(remembered))

    @property
    def gone(self) -> list[str]:
        return [id for id in self.remembered_entries if id not in self.digests]

    @property
    def distance(self) -> int:
        return len(self.gone) + len(self.touched) + len(self.unknown)

    def remembered(self) -> bytes:
        entries = {id: self.remembered_entries[id] for id in self.digests if id in self.remembered_entries}
        for id, entry in {**self.touched, **self.unknown}.items():
            entries[id] = EntryMemory(self.digests[id], memories.fields_of(entry))
        return _encode(entries)

    def changes(self, id: str, *, drops: bool, twins: Container[str] = ()) -> Entry:
        """The fields of a remembered record that the client has changed; None for one that it took away.

        `twins`: other spellings that Parley has added. A client that leaves them out says nothing by that.
        """
        known, entry = self.remembered_entries[id].fields, self.touched[id]
        gone = [name for name in known if name not in entry and name not in twins] if drops else []
        return {**memories.changed(known, entry), **dict.fromkeys(gone)}

    def shown(self, id: str, name: str) -> Any:
        """What is remembered of a field, if it is small enough to be remembered as it is."""
        return self.remembered_entries[id].fields.get(name)


def _own_id(entry: Entry, key: str) -> str | None:
    """Some clients have spelled it in snake_case. Raises Invalid for what can't be an id."""
    id = entry.get(key, entry.get("submission_id") if key == "submissionId" else None)
    if id is None or id == "":
        return None
    id = str(id) if isinstance(id, int) and not isinstance(id, bool) else id
    if not isinstance(id, str) or not ID.fullmatch(id):
        raise Invalid(field=key, rule="must be 1 to 64 letters, digits or any of . _ : -")
    return id


def _differing(shown: Entry, entry: Entry) -> Entry:
    """Of a record that the client knows from elsewhere: what differs from how it is now."""
    return memories.changed(memories.fields_of(shown), entry)


def _products(
    of: _Collection, stored: Stored, currency: str, document: PageDocument
) -> Edits[ProductChanges, ProductEdit]:
    current = stored.products(list(of.unknown))
    added, changed = {}, {}
    for id, entry in of.unknown.items():
        if id in current:
            shown = msgspec.to_builtins(item_out(current[id], currency))
            changed[id] = _product_edit(_differing(shown, entry), entry, shown.get("stock"), currency)
        else:
            added[id] = _item(entry).changes(currency, exact=False)
    for id, entry in of.touched.items():
        fields_changed = of.changes(id, drops=document.is_whole, twins=_ITEM_TWINS)
        changed[id] = _product_edit(fields_changed, entry, of.shown(id, "stock"), currency)
    return Edits(added=added, changed=changed, removed=of.gone)


def _product_edit(changed: Entry, entry: Entry, shown: Any, currency: str) -> ProductEdit:
    """A new stock is a difference: others may have sold some since the page was loaded."""
    changes = _item(changed).changes(currency, exact=False)
    stock = changes.pop("stock", None)
    difference = stock - shown if stock is not None and isinstance(shown, int) else 0
    return ProductEdit(changes=changes, stock_change=difference, reason=_reason(entry, stock))


_ITEM_TWINS = {field.name for field in fields(ItemPart) if field.name != field.encode_name}


def _item(entry: Entry) -> ItemPart:
    return msgspec.convert(wire_names(entry, ItemPart), ItemPart)


def _reason(entry: Entry, stock: int | None) -> str | None:
    """The page's own words for its last change of the stock."""
    history = entry.get("stockHistory")
    last = history[-1] if isinstance(history, list) and history else None
    if not isinstance(last, dict) or last.get("newStock") != stock:
        return None
    return str(last.get("reason") or "") or None


def _forms(of: _Collection, stored: Stored, document: PageDocument) -> Edits[FormEdit, FormEdit]:
    current = stored.forms(list(of.unknown))
    edits = {id: _form_edit(entry) for id, entry in of.unknown.items()}
    return Edits(
        added={id: edit for id, edit in edits.items() if id not in current},
        changed={id: edit for id, edit in edits.items() if id in current}
        | {id: _form_edit(of.changes(id, drops=False)) for id in of.touched},
        removed=of.gone,
    )


def _form_edit(entry: Entry) -> FormEdit:
    part = msgspec.convert(wire_names(entry, FormPart), FormPart)
    return FormEdit(name=part.own_name, fields=part.all_fields(exact=False))


def _orders(of: _Collection, stored: Stored, document: PageDocument) -> Edits[OrderDocument, OrderDocument]:
    current = stored.orders([*of.unknown, *of.touched])
    added, changed = {}, {}
    for id, entry in of.unknown.items():
        if (order := current.get(id)) is None:
            added[id] = parse_order(entry, stored.shop.currency)
        else:
            differing = _differing(order_out(order), entry)
            changed[id] = parse_order(differing, order.currency, labels=order.answers)
    for id in of.touched:
        if (order := current.get(id)) is not None:
            fields_changed = of.changes(id, drops=document.is_whole, twins=ORDER_TWINS.keys() | EXTRAS)
            changed[id] = parse_order(fields_changed, order.currency, labels=order.answers)
    return Edits(added=added, changed=changed, removed=of.gone)


def _conversations(of: _Collection, stored: Stored, document: PageDocument) -> ConversationEdits:
    current = stored.conversations(list(of.unknown))
    added, changed = {}, {}
    for id, entry in of.unknown.items():
        if id in current:
            view = ConversationView(current[id], [])
            changes = _differing(msgspec.to_builtins(conversation_out(view)), entry)
        else:
            changes = entry
        edit = _conversation_edit(id, changes, stored)
        if id in current:
            changed[id] = edit
        else:
            added[id] = _new_conversation(entry, edit)
    for id in of.touched:
        changed[id] = _conversation_edit(id, of.changes(id, drops=document.is_whole), stored)
    removed = [
        RemovedConversation(id=id, last_message_at=_moment(of.shown(id, "lastMessageAt"))) for id in of.gone
    ]
    return ConversationEdits(added=added, changed=changed, removed=removed)


def _new_conversation(entry: Entry, edit: ConversationEdit) -> NewConversation:
    channel = entry.get("channel") or entry.get("platform") or "web"
    return NewConversation(
        channel=word(str(channel), "channel", CHANNEL_SYNONYMS),
        customer_name=str(entry.get("customerName") or entry.get("customer_name") or "Customer"),
        edit=edit,
    )


def _conversation_edit(id: str, changes: Entry, stored: Stored) -> ConversationEdit:
    said = changes.pop("messages", None) or []
    entries = {str(entry.get("id")): entry for entry in said if isinstance(entry, dict) and entry.get("id")}
    known = stored.known_messages(id, list(entries))
    fields_only = {name: value for name, value in changes.items() if name in _CONVERSATION_NAMES}
    for name in [name for name, value in fields_only.items() if value is None and name not in _NULLABLE]:
        del fields_only[name]
    part = msgspec.convert(wire_names(fields_only, ConversationPart), ConversationPart)
    return ConversationEdit(
        changes=part.changes(),
        messages=[_said(id, entry) for id, entry in entries.items() if id not in known],
    )


_CONVERSATION_NAMES = {name for field in fields(ConversationPart) for name in (field.name, field.encode_name)}
_NULLABLE = {"assigneeId", "awaitingProofForOrderId", "awaitingProofUntil"}


def _said(id: str, entry: Entry) -> SaidElsewhere:
    """A message that only this client knows of so far. What is not a message's is passed over."""
    if not ID.fullmatch(id):
        raise Invalid(field="messages.id", rule="must be 1 to 64 letters, digits or any of . _ : -")
    known = {name: value for name, value in entry.items() if name in _MESSAGE_NAMES}
    message = msgspec.convert(wire_names(known, MessageIn), MessageIn)
    return SaidElsewhere(id=id, sender=message.who(), draft=message.draft())


_MESSAGE_NAMES = {name for field in fields(MessageIn) for name in (field.name, field.encode_name)}


def _moment(at: Any) -> datetime | None:
    return EPOCH + timedelta(milliseconds=at) if isinstance(at, int) else None
