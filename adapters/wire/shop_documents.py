"""A whole Shop, or a part of one, as the owner's pages send it back, and what they have changed in it.

Pages send everything they hold several times a second while somebody types. So the bytes of each part are
compared first, with those that the client sent or was shown before; only what differs is decoded at all.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import msgspec

from adapters.wire import memories
from adapters.wire.memories import MISSING
from adapters.wire.settings import ShopSettings, document_of, settings_of
from adapters.wire.shop_lists import (
    Records,
    conversation_edits,
    form_edits,
    in_our_words,
    order_edits,
    product_edits,
)
from adapters.wire.shop_memory import (
    COLLECTIONS,
    CONVERSATIONS,
    FORMS,
    HEAD,
    HEAD_AREAS,
    ITEMS,
    OPTIONAL,
    ORDERS,
    SETTINGS,
    TWINS,
    Entry,
    HeadMemory,
    raw_fields,
    read_entries,
    read_head,
    team_of,
)
from adapters.wire.strict_json import refuse_odd
from adapters.wire.subscriptions import SubscriptionPart
from adapters.wire.team import ROLES, role_of
from adapters.wire.twins import wire_names
from core.kernel import Invalid
from core.shops.edits import EXPENSES, Area, Distance, Memory, ShopEdits, Stored
from core.shops.policy import Role
from core.shops.subscription import SubscriptionChanges

_WHOLE = {"id", "ownerId", "subscription", ITEMS}
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class PageDocument:
    """Satisfies core.shops.edits.ShopDocument. `shop_id`: the shop that it was sent to."""

    raw: Mapping[str, msgspec.Raw]
    shop_id: str = ""
    compared: dict[tuple[str, bytes], Records] = field(default_factory=dict)
    """Its lists, by what they were set against."""
    trees: dict[str, Any] = field(default_factory=dict)
    """The fingerprints of its other fields."""

    @classmethod
    def read(cls, body: bytes) -> "PageDocument":
        """Raises ValueError or RecursionError for what is no JSON object, OddJson for an odd one."""
        if b"\\u0000" in body:
            refuse_odd(body)
        raw = raw_fields(body or b"{}")
        if len(raw) > len(SETTINGS) * 4 or _is_spread(body, raw):
            refuse_odd(body)  # what msgspec would let pass, such as a field that is there twice
        own = {
            TWINS[name]: value
            for name, value in raw.items()
            if TWINS.get(name, name) not in raw and name in TWINS
        }
        return cls({**own, **raw})

    def of(self, shop_id: str) -> "PageDocument":
        return replace(self, shop_id=shop_id, compared={})

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
    def digest(self) -> str:
        return memories.digest(_encode(self.digests))

    @cached_property
    def digests(self) -> dict[str, str]:
        return {name: memories.digest(raw) for name, raw in self.raw.items()}

    def edits(self, memory: Memory, stored: Stored) -> ShopEdits:
        """Raises Invalid."""
        head = read_head(memory[HEAD]) if HEAD in memory else HeadMemory()
        with in_our_words(""):
            return self._edits(head, memory, stored)

    def distance(self, memory: Memory) -> Distance:
        """The fields and records that differ, or that only one of the two has."""
        head = read_head(memory[HEAD]) if HEAD in memory else HeadMemory()
        changed = [name for name, digest in self.digests.items() if head.digest(name) != digest]
        lists = [self._collection(name, memory) for name in COLLECTIONS if name in changed]
        fields = [name for name in changed if name in SETTINGS or name in HEAD_AREAS]
        differing = sum(
            memories.differences(self._tree(name), head.trees.get(name, MISSING)) for name in fields
        )
        return Distance(
            is_exchange=any(records.gone and records.unknown for records in lists),
            changes=differing + sum(records.distance for records in lists),
        )

    def remembered(self, memory: Memory) -> Memory:
        head = read_head(memory[HEAD]) if HEAD in memory else HeadMemory()
        changed = {name for name, digest in self.digests.items() if head.digest(name) != digest}
        if not changed:
            return {}
        for name in changed:
            (head.lists if name in COLLECTIONS else head.digests)[name] = self.digests[name]
        for name in changed & (SETTINGS.keys() | HEAD_AREAS.keys()):
            head.trees[name] = self._tree(name)
        gone = head.trees.keys() - self.raw.keys() if self.is_whole else set()
        for name in gone:
            del head.trees[name]
            head.digests.pop(name, None)
        parts = {HEAD: _encode(head)}
        for name in changed & COLLECTIONS.keys():
            parts[name] = self._collection(name, memory).remembered()
        return parts

    def _edits(self, head: HeadMemory, memory: Memory, stored: Stored) -> ShopEdits:
        def differs(name: str) -> bool:
            return name in self.raw and head.digest(name) != self.digests[name]

        settings, cleared = self._settings(head, stored, differs)
        currency = self._text("currency", head) if differs("currency") else None
        of = {
            name: self._collection(name, memory) if differs(name) else Records.empty() for name in COLLECTIONS
        }
        priced_in = (currency or stored.shop.currency).strip().upper()
        return ShopEdits(
            name=self._text("name", head) if differs("name") else None,
            currency=currency,
            settings=settings,
            settings_cleared=cleared,
            subscription=self._subscription(head) if differs("subscription") else {},
            team=self._team(head, stored) if differs("team") else None,
            products=product_edits(of[ITEMS], stored, priced_in, drops=self.is_whole),
            forms=form_edits(of[FORMS], stored),
            orders=order_edits(of[ORDERS], stored, drops=self.is_whole),
            conversations=conversation_edits(of[CONVERSATIONS], stored, drops=self.is_whole),
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
            if remembered is MISSING or self._tree(name) != remembered:
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
        wanted = memories.merged(known, current, team_of(self._value("team")), drops=True)
        return {user_id: role_of(role) for user_id, role in wanted.items()}

    def _text(self, name: str, head: HeadMemory) -> str | None:
        """None where the client has not changed it, whatever it is now."""
        value = self._value(name)
        if not isinstance(value, str):
            raise Invalid(field=name, rule="must be a text")
        return None if head.trees.get(name, MISSING) == memories.tree(value) else value

    def _tree(self, name: str) -> Any:
        if name not in self.trees:
            with in_our_words(name):
                self.trees[name] = memories.tree(self._value(name))
        return self.trees[name]

    def _value(self, name: str) -> Any:
        raw = bytes(self.raw[name])
        refuse_odd(raw)
        value = msgspec.json.decode(raw)
        return team_of(value) if name == "team" else value

    def _collection(self, name: str, memory: Memory) -> Records:
        remembered = memory.get(name, b"{}")
        if (name, remembered) not in self.compared:
            with in_our_words(name):
                self.compared[name, remembered] = Records.compare(
                    self.raw[name],
                    COLLECTIONS[name][1],
                    read_entries(remembered),
                    seed=f"{self.shop_id} {name}",
                )
        return self.compared[name, remembered]


def _is_spread(body: bytes, raw: Mapping[str, msgspec.Raw]) -> bool:
    """Whether there is more in the object than its fields, as compact JSON writes them."""
    expected = 1 + sum(len(_encode(name)) + 2 + memoryview(value).nbytes for name, value in raw.items())
    return len(body) > max(expected, 2)
