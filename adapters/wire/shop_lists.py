"""The lists of records in a Shop that was sent: set against what is remembered of them, and what changed."""

import re
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec.structs import fields

from adapters.wire import memories
from adapters.wire.complaints import invalid
from adapters.wire.conversations import (
    CHANNEL_SYNONYMS,
    ConversationPart,
    conversation_out,
    word,
)
from adapters.wire.forms import FormPart
from adapters.wire.items import ItemPart, count_of, item_out, stock_change
from adapters.wire.orders import EXTRAS, order_out
from adapters.wire.orders import TWINS as ORDER_TWINS
from adapters.wire.orders import parse as parse_order
from adapters.wire.shop_memory import Entry, EntryMemory, Remembered
from adapters.wire.shop_messages import SEEN, messages_in, record_fields, said
from adapters.wire.strict_json import OddJson, refuse_odd
from adapters.wire.twins import wire_names
from core.catalogue.model import ProductChanges
from core.conversations.views import ConversationView
from core.kernel import Invalid, named_id, within
from core.orders.documents import OrderDocument
from core.shops.edits import (
    ConversationEdit,
    ConversationEdits,
    Edits,
    FormEdit,
    NewConversation,
    ProductEdit,
    RemovedConversation,
    Stored,
)

_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_raws = msgspec.json.Decoder(list[msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


@contextmanager
def in_our_words(place: str) -> Iterator[None]:
    """msgspec's complaints and ours about what is in there, in our words. Raises Invalid."""
    try:
        yield
    except msgspec.ValidationError as error:
        complaint = invalid(error)
        inside = "" if complaint.facts["field"] == "body" else complaint.facts["field"]
        dot = "." if place and inside and not inside.startswith("[") else ""
        raise Invalid(field=f"{place}{dot}{inside}" or "body", rule=complaint.facts["rule"]) from None
    except OddJson as error:
        raise Invalid(field=place or "body", rule=f"is not acceptable: {error}") from None


@dataclass(frozen=True)
class Records:
    """The records of one list, set against what is remembered of them.

    `touched` and `unknown`: those whose bytes are not remembered, by id.
    """

    digests: Mapping[str, str]
    touched: Mapping[str, Entry]
    unknown: Mapping[str, Entry]
    remembered_entries: Mapping[str, EntryMemory]
    is_remembered: bool

    @classmethod
    def empty(cls) -> "Records":
        return cls({}, {}, {}, {}, False)

    @classmethod
    def compare(cls, raw: msgspec.Raw, key: str, remembered: Remembered, *, seed: str) -> "Records":
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
        """Records that only one has, and fields that differ by what they say, however it is written. A client
        that does not know a field leaves it out."""
        known = self.remembered_entries
        differing = sum(len(memories.changed(known[id].fields, entry)) for id, entry in self.touched.items())
        return len(self.gone) + differing + len(self.unknown)

    def remembered(self) -> bytes:
        entries = {id: self.remembered_entries[id] for id in self.digests if id in self.remembered_entries}
        for id, entry in {**self.touched, **self.unknown}.items():
            entries[id] = EntryMemory(self.digests[id], msgspec.Raw(_encode(record_fields(entry))))
        return _encode(entries)

    def changes(self, id: str, *, drops: bool, twins: Container[str] = ()) -> Entry:
        """The fields of a remembered record that the client has changed; None for one that it took away.

        `twins`: other spellings that Parley has added. A client that leaves them out says nothing by that.
        """
        known, entry = self.remembered_entries[id].fields, self.touched[id]
        left_out = known.keys() - entry.keys() - {SEEN} if drops else set()
        gone = [name for name in left_out if name not in twins]
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
    if not isinstance(id, str) or not _ID.fullmatch(id):
        raise Invalid(field=key, rule="must be 1 to 64 letters, digits or any of . _ : -")
    return id


def _differing(shown: Entry, entry: Entry) -> Entry:
    """Of a record that the client knows from elsewhere: what differs from how it is now."""
    return memories.changed(memories.fields_of(shown), entry)


def product_edits(
    of: Records, stored: Stored, currency: str, *, drops: bool
) -> Edits[ProductChanges, ProductEdit]:
    current = stored.products(list(of.unknown))
    added, changed = {}, {}
    for id, entry in of.unknown.items():
        with within(id), in_our_words(""):
            if id in current:
                shown = msgspec.to_builtins(item_out(current[id], currency))
                changed[id] = _product_edit(_differing(shown, entry), entry, current[id].stock, currency)
            else:
                added[id] = _item(entry).changes(currency, exact=False)
    shown_stock = {id: count_of(of.shown(id, "stock")) for id in of.touched}
    now = stored.products([id for id, count in shown_stock.items() if count is None])
    for id, entry in of.touched.items():
        fields_changed = of.changes(id, drops=drops, twins=_ITEM_TWINS)
        count = now[id].stock if id in now else shown_stock[id] or 0
        with within(id), in_our_words(""):
            changed[id] = _product_edit(fields_changed, entry, count, currency)
    return Edits(added=added, changed=changed, removed=of.gone)


def _product_edit(changed: Entry, entry: Entry, shown: int, currency: str) -> ProductEdit:
    """A new stock is a difference: others may have sold some since the page was loaded."""
    changes = _item(changed).changes(currency, exact=False)
    stock = changes.pop("stock", None)
    change = 0 if stock is None else stock_change(shown, stock)
    return ProductEdit(changes=changes, stock_change=change, reason=_reason(entry, stock))


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


def form_edits(of: Records, stored: Stored) -> Edits[FormEdit, FormEdit]:
    current = stored.forms(list(of.unknown))
    edits = {id: _form_edit(id, entry) for id, entry in of.unknown.items()}
    return Edits(
        added={id: edit for id, edit in edits.items() if id not in current},
        changed={id: edit for id, edit in edits.items() if id in current}
        | {id: _form_edit(id, of.changes(id, drops=False)) for id in of.touched},
        removed=of.gone,
    )


def _form_edit(id: str, entry: Entry) -> FormEdit:
    with within(id), in_our_words(""):
        part = msgspec.convert(wire_names(entry, FormPart), FormPart)
        return FormEdit(name=part.own_name, fields=part.all_fields(exact=False))


def order_edits(of: Records, stored: Stored, *, drops: bool) -> Edits[OrderDocument, OrderDocument]:
    current = stored.orders([*of.unknown, *of.touched])
    added, changed = {}, {}
    for id, entry in of.unknown.items():
        with within(id):
            if (order := current.get(id)) is None:
                added[id] = parse_order(entry, stored.shop.currency)
            else:
                differing = _differing(order_out(order), entry)
                changed[id] = parse_order(differing, order.currency, labels=order.answers)
    for id in of.touched:
        if (order := current.get(id)) is not None:
            fields_changed = of.changes(id, drops=drops, twins=ORDER_TWINS.keys() | EXTRAS)
            with within(id):
                changed[id] = parse_order(fields_changed, order.currency, labels=order.answers)
    return Edits(added=added, changed=changed, removed=of.gone)


def conversation_edits(of: Records, stored: Stored, *, drops: bool) -> ConversationEdits:
    current = stored.conversations(list(of.unknown))
    added, changed = {}, {}
    for id, entry in of.unknown.items():
        if id in current:
            view = ConversationView(current[id], [])
            changes = _differing(msgspec.to_builtins(conversation_out(view)), entry)
        else:
            changes = entry
        with within(id), in_our_words(""):
            edit = _conversation_edit(id, changes, stored)
            if id in current:
                changed[id] = edit
            else:
                added[id] = _new_conversation(entry, edit)
    for id in of.touched:
        with within(id), in_our_words(""):
            changed[id] = _conversation_edit(id, of.changes(id, drops=drops), stored)
    removed = [RemovedConversation(id=id, messages=of.shown(id, SEEN) or 0) for id in of.gone]
    return ConversationEdits(added=added, changed=changed, removed=removed)


def _new_conversation(entry: Entry, edit: ConversationEdit) -> NewConversation:
    channel = entry.get("channel") or entry.get("platform") or "web"
    return NewConversation(
        channel=word(str(channel), "channel", CHANNEL_SYNONYMS),
        customer_name=str(entry.get("customerName") or entry.get("customer_name") or "Customer"),
        edit=edit,
    )


def _conversation_edit(id: str, changes: Entry, stored: Stored) -> ConversationEdit:
    entries = messages_in(changes.get("messages"))
    known = stored.known_messages(id, list(entries))
    fields_only = {name: value for name, value in changes.items() if name in _CONVERSATION_NAMES}
    for name in [name for name, value in fields_only.items() if value is None and name not in _NULLABLE]:
        del fields_only[name]
    part = msgspec.convert(wire_names(fields_only, ConversationPart), ConversationPart)
    return ConversationEdit(
        changes=part.changes(),
        messages=[said(id, entry) for id, entry in entries.items() if id not in known],
    )


_CONVERSATION_NAMES = {name for field in fields(ConversationPart) for name in (field.name, field.encode_name)}
_CONVERSATION_NAMES.discard("messages")
_NULLABLE = {"assigneeId", "awaitingProofForOrderId", "awaitingProofUntil"}
