"""Figures, counted from a shop's rows whenever somebody asks."""

from datetime import timedelta
from typing import Protocol

from core.analytics.model import (
    ConversationTally,
    CostTally,
    FormTally,
    MessageTally,
    OrderTally,
    ProductTally,
)
from core.analytics.periods import Period


class Analytics(Protocol):
    """Days are counted from 0 in their period. What nothing was counted for is absent."""

    def orders(self, period: Period) -> list[OrderTally]: ...

    def costs(self, period: Period) -> list[CostTally]: ...

    def products(self, period: Period, currency: str, limit: int, *, by_quantity: bool) -> list[ProductTally]:
        """Those that brought the most, or of which the most were sold, in this currency."""
        ...

    def forms(self, period: Period) -> list[FormTally]:
        """The most used first."""
        ...

    def conversations(self, period: Period) -> list[ConversationTally]: ...

    def messages(self, period: Period) -> list[MessageTally]: ...

    def median_response(self, period: Period) -> timedelta | None:
        """Among conversations that began then, and that the customer opened and somebody answered."""
        ...

    def stock_of_goods(self) -> tuple[int, int]:
        """How many products and forms there are now."""
        ...
