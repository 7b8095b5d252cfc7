"""Whole shops as their owners' pages get them, put together from pieces that are kept ready.

A shop with hundreds of orders is read and sent back at every key stroke. Each product, form, order and
conversation is therefore encoded once for each of its versions; a reading loads only what has changed.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

import msgspec

from adapters.wire import memories
from adapters.wire.base import Out
from adapters.wire.conversations import conversation_out
from adapters.wire.forms import form_out
from adapters.wire.items import item_out
from adapters.wire.orders import order_out
from adapters.wire.shop_memory import CONVERSATIONS, FORMS, HEAD, ITEMS, ORDERS, head_memory
from adapters.wire.shop_messages import record_fields
from adapters.wire.shops import ShopOut, head_out
from core.catalogue.model import Product
from core.conversations.model import Conversation
from core.forms.model import Form
from core.orders.model import Order
from core.shops.edits import Memory
from core.shops.model import Shop
from core.shops.views import ShopView, Shown

ROOM = 64 * 1024 * 1024
"""Bytes that a process keeps ready."""

Key = tuple[Any, ...]
_encode = msgspec.json.Encoder().encode


class Piece(NamedTuple):
    """A record as it is sent, and what a memory says of it."""

    body: bytes
    memory: bytes


class Shelf:
    """Pieces by what they show; those that nobody asked for the longest make room for new ones."""

    def __init__(self, room: int = ROOM) -> None:
        self._pieces: OrderedDict[Key, Piece] = OrderedDict()
        self._room = room

    def get(self, key: Key) -> Piece | None:
        """Called from the threads that read the database, too."""
        return self._pieces.get(key)

    def put(self, key: Key, piece: Piece) -> None:
        self._room -= len(piece.body) + len(piece.memory)
        if (old := self._pieces.pop(key, None)) is not None:
            self._room += len(old.body) + len(old.memory)
        self._pieces[key] = piece
        while self._room < 0 and len(self._pieces) > 1:
            _, dropped = self._pieces.popitem(last=False)
            self._room += len(dropped.body) + len(dropped.memory)


@dataclass(frozen=True)
class Reading:
    """One reading of a shop. Satisfies core.shops.views.Known: holds on to what the shelf had for it."""

    shelf: Shelf
    pieces: dict[Key, Piece] = field(default_factory=dict)

    def has(self, kind: type, shop: Shop, id: str, version: int) -> bool:
        key = _key(kind, shop, id, version)
        if (piece := self.shelf.get(key)) is not None:
            self.pieces[key] = piece
        return piece is not None

    def pieces_of(
        self, kind: type, shop: Shop, shown: Shown[Any], encode: Callable[[Any], Any]
    ) -> list[Piece]:
        """In order; those that the reading has brought are put on the shelf."""
        result = []
        for id, version in shown.versions.items():
            key = _key(kind, shop, id, version)
            piece = self.pieces.get(key)
            if piece is None:
                piece = _piece(id, encode(shown.loaded[id]))
                self.shelf.put(key, piece)
            result.append(piece)
        return result


class Page(NamedTuple):
    """A shop as it is sent. Its lists are encoded already."""

    shop: ShopOut
    memory: Memory
    digest: str


def page(view: ShopView, reading: Reading) -> Page:
    shop = view.shop

    def product(found: Any) -> Out:
        return item_out(found.product, shop.currency, found.history)

    lists = {
        ITEMS: reading.pieces_of(Product, shop, view.products, product),
        FORMS: reading.pieces_of(Form, shop, view.forms, form_out),
        ORDERS: reading.pieces_of(Order, shop, view.orders, order_out),
        CONVERSATIONS: reading.pieces_of(Conversation, shop, view.conversations, conversation_out),
    }
    bodies = {name: b"[%b]" % b",".join(piece.body for piece in found) for name, found in lists.items()}
    parts = {name: b"{%b}" % b",".join(piece.memory for piece in found) for name, found in lists.items()}
    digests = {name: memories.digest(body) for name, body in bodies.items()}
    head = head_out(view)
    parts[HEAD] = _head(reading.shelf, shop, _encode(head), digests)
    shown = ShopOut(
        **msgspec.structs.asdict(head),
        items=_raw(bodies[ITEMS]),
        forms=_raw(bodies[FORMS]),
        form_submissions=_raw(bodies[ORDERS]),
        live_conversations=_raw(bodies[CONVERSATIONS]),
    )
    return Page(shown, parts, memories.digest(parts[HEAD]))


def _head(shelf: Shelf, shop: Shop, head: bytes, digests: Mapping[str, str]) -> bytes:
    """What is remembered of everything but the lists: their digests, and all of the rest."""
    key = (HEAD, shop.id, memories.digest(head))
    piece = shelf.get(key)
    if piece is None:
        piece = Piece(b"", head_memory(head))
        shelf.put(key, piece)
    return piece.memory[:-1] + b"," + _encode({"lists": digests})[1:]


def _piece(id: str, content: Any) -> Piece:
    body = _encode(content)
    entry = [memories.digest(body), record_fields(msgspec.json.decode(body))]
    return Piece(body, _encode(id) + b":" + _encode(entry))


def _key(kind: type, shop: Shop, id: str, version: int) -> Key:
    """Prices are shown in the shop's currency."""
    return kind, shop.id, shop.currency, id, version


def _raw(body: bytes) -> Any:
    return cast(Any, msgspec.Raw(body))
