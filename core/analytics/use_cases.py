"""The figures of a shop, in its own days and its own currency."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from core.analytics.expenses import expenses_of
from core.analytics.model import (
    Bucket,
    ConversationFigures,
    DayOfConversations,
    DayOfOrders,
    FormFigures,
    OrderFigures,
    OrderTally,
    OtherCurrency,
    Overview,
    ProductFigures,
    RevenueFigures,
)
from core.analytics.periods import Period, zone_of
from core.analytics.revenue import takings
from core.conversations.messages import Sender
from core.conversations.model import Channel, Status
from core.kernel import Agent
from core.orders.model import OrderStatus
from core.shops.access import require
from core.shops.model import Shop
from core.shops.policy import Permission
from ports.clock import Clock
from ports.db import Database, Transaction

TOP = 10
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """What a caller says of the period: so many days up to `last`, or from `first` to `last`."""

    days: int | None = None
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """What all of them have in common: who may see them, for when, and for which shop."""

    db: Database
    clock: Clock

    async def _of(
        self,
        actor: Agent,
        shop_id: str,
        when: When,
        permission: Permission,
        count: Callable[[Transaction, Shop, Period], T],
    ) -> T:
        def work(tx: Transaction) -> T:
            require(tx, actor, shop_id, permission)
            shop = tx.shops.get()
            zone = zone_of(shop.settings)
            period = Period.of(zone, self.clock.now(), days=when.days, first=when.first, last=when.last)
            return count(tx, shop, period)

        return await self.db.read(work, shop=shop_id)


class SumUp(Figures):
    async def __call__(self, *, actor: Agent, shop_id: str, when: When) -> Overview:
        """Raises ShopNotFound, Forbidden or Invalid, as all of these do."""

        def count(tx: Transaction, shop: Shop, period: Period) -> Overview:
            return Overview(
                orders=_orders(tx, shop, period),
                products=_products(tx, shop, period),
                forms=_forms(tx, shop, period),
                conversations=_conversations(tx, shop, period),
            )

        return await self._of(actor, shop_id, when, Permission.VIEW_DASHBOARD, count)


class CountOrders(Figures):
    async def __call__(self, *, actor: Agent, shop_id: str, when: When) -> OrderFigures:
        return await self._of(actor, shop_id, when, Permission.VIEW_DASHBOARD, _orders)


class CountProducts(Figures):
    async def __call__(self, *, actor: Agent, shop_id: str, when: When) -> ProductFigures:
        return await self._of(actor, shop_id, when, Permission.VIEW_DASHBOARD, _products)


class CountForms(Figures):
    async def __call__(self, *, actor: Agent, shop_id: str, when: When) -> FormFigures:
        return await self._of(actor, shop_id, when, Permission.VIEW_DASHBOARD, _forms)


class CountConversations(Figures):
    async def __call__(self, *, actor: Agent, shop_id: str, when: When) -> ConversationFigures:
        return await self._of(actor, shop_id, when, Permission.VIEW_DASHBOARD, _conversations)


class CountRevenue(Figures):
    async def __call__(self, *, actor: Agent, shop_id: str, when: When, bucket: Bucket) -> RevenueFigures:
        """With costs, expenses and profits: for those who may see the accounts."""

        def count(tx: Transaction, shop: Shop, period: Period) -> RevenueFigures:
            tallies = tx.analytics.orders(period)
            expenses = expenses_of(shop.settings, shop.currency, period)
            total, parts = takings(
                period,
                bucket,
                _completed(tallies, shop.currency),
                [tally for tally in tx.analytics.costs(period) if tally.currency == shop.currency],
                expenses,
            )
            by_category = Counter[str]()
            for expense in expenses:
                by_category[expense.category] += expense.amount_minor
            return RevenueFigures(
                period=period,
                currency=shop.currency,
                bucket=bucket,
                total=total,
                takings=parts,
                by_category=by_category,
                others=_others(tallies, shop.currency),
            )

        return await self._of(actor, shop_id, when, Permission.VIEW_ACCOUNTANT, count)


def _orders(tx: Transaction, shop: Shop, period: Period) -> OrderFigures:
    tallies = tx.analytics.orders(period)
    completed = _completed(tallies, shop.currency)
    orders, revenue = Counter[int](), Counter[int]()
    for tally in tallies:
        orders[tally.day] += tally.count
    for tally in completed:
        revenue[tally.day] += tally.total_minor
    return OrderFigures(
        period=period,
        currency=shop.currency,
        total=sum(orders.values()),
        completed=sum(tally.count for tally in completed),
        revenue_minor=sum(revenue.values()),
        by_status=_summed(OrderStatus, ((tally.status, tally.count) for tally in tallies)),
        by_day=[
            DayOfOrders(date=day, orders=orders[place], revenue_minor=revenue[place])
            for place, day in enumerate(period.days)
        ],
        others=_others(tallies, shop.currency),
    )


def _products(tx: Transaction, shop: Shop, period: Period) -> ProductFigures:
    by_revenue, by_quantity = (
        tx.analytics.products(period, shop.currency, TOP, by_quantity=wanted) for wanted in (False, True)
    )
    products, _ = tx.analytics.stock_of_goods()
    return ProductFigures(
        period=period,
        currency=shop.currency,
        total=products,
        by_revenue=by_revenue,
        by_quantity=by_quantity,
    )


def _forms(tx: Transaction, _: Shop, period: Period) -> FormFigures:
    found = tx.analytics.forms(period)
    _products, forms = tx.analytics.stock_of_goods()
    submissions = sum(tally.submissions for tally in found)
    return FormFigures(period=period, total=forms, submissions=submissions, by_form=found)


def _conversations(tx: Transaction, _: Shop, period: Period) -> ConversationFigures:
    found, said = tx.analytics.conversations(period), tx.analytics.messages(period)
    begun, messages = Counter[int](), Counter[int]()
    for tally in found:
        begun[tally.day] += tally.count
    for tally_of_messages in said:
        messages[tally_of_messages.day] += tally_of_messages.count
    return ConversationFigures(
        period=period,
        total=sum(begun.values()),
        by_status=_summed(Status, ((tally.status, tally.count) for tally in found)),
        by_channel={k: n for k, n in _summed(Channel, ((t.channel, t.count) for t in found)).items() if n},
        by_sender=_summed(Sender, ((tally.sender, tally.count) for tally in said)),
        by_day=[
            DayOfConversations(date=day, conversations=begun[place], messages=messages[place])
            for place, day in enumerate(period.days)
        ],
        median_response=tx.analytics.median_response(period),
    )


def _completed(tallies: Iterable[OrderTally], currency: str) -> list[OrderTally]:
    return [
        tally for tally in tallies if tally.status is OrderStatus.COMPLETED and tally.currency == currency
    ]


def _others(tallies: Sequence[OrderTally], currency: str) -> list[OtherCurrency]:
    others = sorted({tally.currency for tally in tallies} - {currency})
    return [
        OtherCurrency(
            currency=other,
            orders=sum(tally.count for tally in tallies if tally.currency == other),
            revenue_minor=sum(tally.total_minor for tally in _completed(tallies, other)),
        )
        for other in others
    ]


def _summed(kinds: Iterable[T], counts: Iterable[tuple[T, int]]) -> Mapping[T, int]:
    """How many of each kind, those of which there are none included."""
    summed = dict.fromkeys(kinds, 0)
    for kind, count in counts:
        summed[kind] += count
    return summed
