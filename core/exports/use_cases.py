"""Whole tables of a shop, page by page, for whoever wants to take them away."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from core.analytics.periods import begin_of, zone_of
from core.catalogue.model import Product
from core.conversations.model import Conversation
from core.kernel import Agent, Invalid
from core.orders.model import Order
from core.shops.access import require
from core.shops.policy import Permission
from ports.db import Database, Transaction
from ports.exports import Span

Row = TypeVar("Row", Order, Product, Conversation)

PAGE = 500
LABELS_LIMIT = 1_000
"""Answers that get a column of their own; those of rarer labels have one together."""

_FIRST, _LAST = datetime(1, 1, 3, tzinfo=UTC), datetime(9999, 12, 29, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What has to be known before the first row. `labels`: of all answers, in the order of the alphabet."""

    shop_id: str
    currency: str
    zone: ZoneInfo
    span: Span
    labels: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class BeginExport:
    db: Database

    async def __call__(
        self,
        *,
        actor: Agent,
        shop_id: str,
        permission: Permission,
        first: date | None,
        last: date | None,
        with_labels: bool = False,
    ) -> Export:
        """From and to these local dates, both included. Raises ShopNotFound, Forbidden or Invalid."""

        def work(tx: Transaction) -> Export:
            require(tx, actor, shop_id, permission)
            shop = tx.shops.get()
            zone = zone_of(shop.settings)
            span = _span(zone, first, last)
            return Export(shop_id=shop_id, currency=shop.currency, zone=zone, span=span)

        export = await self.db.read(work, shop=shop_id)
        return await self._labelled(export) if with_labels else export

    async def _labelled(self, export: Export) -> Export:
        labels, after = set[str](), ""
        while len(labels) < LABELS_LIMIT:

            def page(tx: Transaction, after: str = after) -> tuple[str, set[str]]:
                found = tx.exports.answers(export.span, after, PAGE)
                return found[-1][0] if found else "", {label for _, answers in found for label in answers}

            after, seen = await self.db.read(page, shop=export.shop_id)
            labels |= seen
            if not after:
                break
        return Export(
            shop_id=export.shop_id,
            currency=export.currency,
            zone=export.zone,
            span=export.span,
            labels=sorted(labels, key=lambda label: (label.casefold(), label))[:LABELS_LIMIT],
        )


@dataclass(frozen=True, slots=True)
class ReadExport:
    """Each page is a read of its own: nothing is held open, or in memory, while a slow client reads."""

    db: Database

    def orders(self, export: Export) -> AsyncIterator[Sequence[Order]]:
        return self._pages(export, lambda after: lambda tx: tx.exports.orders(export.span, after, PAGE))

    def products(self, export: Export) -> AsyncIterator[Sequence[Product]]:
        return self._pages(export, lambda after: lambda tx: tx.exports.products(export.span, after, PAGE))

    def conversations(self, export: Export) -> AsyncIterator[Sequence[Conversation]]:
        return self._pages(
            export, lambda after: lambda tx: tx.exports.conversations(export.span, after, PAGE)
        )

    async def _pages(
        self, export: Export, page_after: Callable[[Row | None], Callable[[Transaction], list[Row]]]
    ) -> AsyncIterator[Sequence[Row]]:
        last: Row | None = None
        while rows := await self.db.read(page_after(last), shop=export.shop_id):
            yield rows
            last = rows[-1]


def _span(zone: ZoneInfo, first: date | None, last: date | None) -> Span:
    if first and last and first > last:
        raise Invalid(field="from", rule="must not be after to")
    for name, day in (("from", first), ("to", last)):
        if day is not None and not _FIRST.date() <= day < _LAST.date():
            raise Invalid(field=name, rule="must be a date that calendars have")
    since = begin_of(first, zone) if first else _FIRST
    return Span(since, begin_of(last + timedelta(days=1), zone) if last else _LAST)
