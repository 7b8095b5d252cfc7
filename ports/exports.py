"""A shop's rows page by page, each page after the last row of the one before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from core.catalogue.model import Product
from core.conversations.model import Conversation
from core.orders.model import Order


@dataclass(frozen=True, slots=True)
class Span:
    """From one moment to before another."""

    since: datetime
    until: datetime


class Exports(Protocol):
    """`after` is what was handed out last, or None at the beginning. An empty page is the end."""

    def orders(self, span: Span, after: Order | None, limit: int) -> list[Order]:
        """Those that were placed in the span, the oldest first."""
        ...

    def answers(self, span: Span, after: str, limit: int) -> Sequence[tuple[str, Mapping[str, Any]]]:
        """Ids and answers of these orders, by id. `after` is the last id, or empty."""
        ...

    def products(self, span: Span, after: Product | None, limit: int) -> list[Product]:
        """Those that were added in the span, by id."""
        ...

    def conversations(self, span: Span, after: Conversation | None, limit: int) -> list[Conversation]:
        """Those that began in the span, by id."""
        ...
