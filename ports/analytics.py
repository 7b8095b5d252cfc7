"""Figures, counted from a shop's rows whenever somebody asks."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from core.analytics.model import (
    ConversationTally,
    CostTally,
    FormTally,
    MessageTally,
    OrderTally,
    ProductTally,
)

Bounds = Sequence[datetime]
"""When each day begins, in UTC, and when the last one ends: one more than there are days."""


class Analytics(Protocol):
    """What nothing was counted for is absent."""

    def orders(self, bounds: Bounds) -> list[OrderTally]: ...

    def costs(self, bounds: Bounds) -> list[CostTally]: ...

    def products(
        self, since: datetime, until: datetime, currency: str, limit: int, *, by_quantity: bool
    ) -> list[ProductTally]:
        """Those that brought the most, or of which the most were sold, in this currency."""
        ...

    def forms(self, since: datetime, until: datetime) -> list[FormTally]:
        """The most used first."""
        ...

    def conversations(self, bounds: Bounds) -> list[ConversationTally]: ...

    def messages(self, bounds: Bounds) -> list[MessageTally]: ...

    def median_response(self, since: datetime, until: datetime) -> timedelta | None:
        """Among conversations that began then, and that the customer opened and somebody answered."""
        ...

    def stock_of_goods(self) -> tuple[int, int]:
        """How many products and forms there are now."""
        ...
