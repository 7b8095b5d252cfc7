"""Repositories of what a shop sells, the forms it asks with, and its orders."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from core.catalogue.model import Product, StockChange
from core.catalogue.offers import Offer
from core.forms.model import Form
from core.orders.model import Order, OrderStatus

Versions = dict[str, int]
"""The version of each row by its id, in the order in which the rows are shown."""


class Products(Protocol):
    def get(self, product_id: str, *, lock: bool = False) -> Product:
        """Raises ProductNotFound. With `lock` nobody else changes it before this transaction ends."""
        ...

    def by_ids(self, product_ids: Iterable[str], *, lock: bool = False) -> dict[str, Product]:
        """Those that there are. Locks are taken in the order of the ids: two buyers can't deadlock."""
        ...

    def all(self) -> list[Product]:
        """Oldest first."""
        ...

    def offers(self) -> list[Offer]:
        """The same in short: without pictures, and whatever else nobody needs to find one by name."""
        ...

    def versions(self) -> Versions: ...

    def count(self) -> int: ...

    def inline_length(self) -> int:
        """Characters of all pictures that are inside of products."""
        ...

    def add(self, product: Product) -> None:
        """Store a new one, its stock history and its events. Raises ProductExists."""
        ...

    def save(self, product: Product) -> None:
        """Store the changes, new stock history and events. Raises ConcurrentUpdate when the stored version is
        another."""
        ...

    def delete(self, product: Product) -> None: ...

    def history(self, product_ids: Sequence[str], limit: int) -> dict[str, list[StockChange]]:
        """The last `limit` stock changes of each product, oldest first; without any it is absent."""
        ...


class Forms(Protocol):
    def get(self, form_id: str, *, lock: bool = False) -> Form:
        """Raises FormNotFound."""
        ...

    def by_ids(self, form_ids: Iterable[str], *, lock: bool = False) -> dict[str, Form]:
        """Those that there are."""
        ...

    def all(self) -> list[Form]:
        """Oldest first."""
        ...

    def versions(self) -> Versions: ...

    def add(self, form: Form) -> None:
        """Raises FormExists."""
        ...

    def save(self, form: Form) -> None:
        """Raises ConcurrentUpdate when the stored version is another."""
        ...

    def delete(self, form: Form) -> None:
        """Orders that were made with it keep its id and name."""
        ...


class Orders(Protocol):
    def get(self, order_id: str, *, lock: bool = False) -> Order:
        """Raises OrderNotFound."""
        ...

    def find(self, order_id: str, *, lock: bool = False) -> Order | None: ...

    def by_reference(self, reference: str, *, lock: bool = False) -> Order:
        """By id, else by number. Raises OrderNotFound."""
        ...

    def by_ids(self, order_ids: Iterable[str], *, lock: bool = False) -> dict[str, Order]:
        """Those that there are."""
        ...

    def latest(
        self,
        limit: int,
        *,
        before: tuple[datetime, str] | None = None,
        status: OrderStatus | None = None,
        search: str | None = None,
    ) -> list[Order]:
        """The newest first; `before` is the time and id of the last one seen. `search`: a part of the number,
        the customer's name or the id, in any case."""
        ...

    def oldest(self, limit: int, *, after: tuple[datetime, str], until: datetime) -> list[Order]:
        """Those after this time and id, and placed before `until`."""
        ...

    def versions(self, limit: int) -> Versions:
        """Those of the latest ones, newest first."""
        ...

    def add(self, order: Order) -> None:
        """Store a new one and its events. Raises OrderExists, or NumberTaken."""
        ...

    def save(self, order: Order) -> None:
        """Store the changes and events. Raises ConcurrentUpdate when the stored version is another."""
        ...

    def delete(self, order: Order) -> None: ...

    def next_number(self) -> int:
        """One above the highest that was given out or noted. Others of the shop wait for this transaction."""
        ...

    def note_number(self, number: int) -> None:
        """Somebody else gave out this number: go on above it."""
        ...

    def is_number_free(self, number: str) -> bool: ...
