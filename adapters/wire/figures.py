"""From what was counted to the answers of analytics.py."""

from adapters.wire.analytics import (
    Amount,
    ConversationMetrics,
    ConversationsOut,
    DayOfConversationsOut,
    DayOfOrdersOut,
    FormMetrics,
    FormOut,
    FormsOut,
    OrderMetrics,
    OrdersOut,
    OtherCurrencyOut,
    OverviewMetrics,
    OverviewOut,
    PeriodOut,
    ProductMetrics,
    ProductOut,
    ProductsOut,
    RevenueOut,
    TakingsOut,
)
from adapters.wire.conversations import SENDER_WORDS
from adapters.wire.money import major
from adapters.wire.orders import STATUS_WORDS
from core.analytics import model
from core.analytics.periods import Period


def overview_out(overview: model.Overview) -> OverviewOut:
    orders, currency = orders_out(overview.orders), overview.orders.currency
    return OverviewOut(
        period=orders.period,
        currency=currency,
        metrics=OverviewMetrics(
            total_orders=orders.metrics.total_orders,
            total_revenue=orders.metrics.total_revenue,
            total_products=overview.products.total,
            total_forms=overview.forms.total,
            total_conversations=overview.conversations.total,
            average_order_value=orders.metrics.average_order_value,
        ),
        by_status=orders.by_status,
        by_day=orders.by_day,
        by_channel={str(kind): count for kind, count in overview.conversations.by_channel.items()},
        top_products=[_product(tally, currency) for tally in overview.products.by_revenue],
        other_currencies=orders.other_currencies,
    )


def orders_out(figures: model.OrderFigures) -> OrdersOut:
    currency = figures.currency
    return OrdersOut(
        period=_period(figures.period),
        currency=currency,
        metrics=OrderMetrics(
            total_orders=figures.total,
            completed_orders=figures.completed,
            total_revenue=major(figures.revenue_minor, currency),
            average_order_value=major(figures.average_minor, currency),
        ),
        by_status={STATUS_WORDS[status]: count for status, count in figures.by_status.items()},
        by_day=[
            DayOfOrdersOut(
                date=day.date.isoformat(), orders=day.orders, revenue=major(day.revenue_minor, currency)
            )
            for day in figures.by_day
        ],
        other_currencies=[_other(other) for other in figures.others],
    )


def products_out(figures: model.ProductFigures) -> ProductsOut:
    return ProductsOut(
        period=_period(figures.period),
        currency=figures.currency,
        metrics=ProductMetrics(total_products=figures.total),
        top_products=[_product(tally, figures.currency) for tally in figures.by_revenue],
        top_by_quantity=[_product(tally, figures.currency) for tally in figures.by_quantity],
    )


def forms_out(figures: model.FormFigures) -> FormsOut:
    return FormsOut(
        period=_period(figures.period),
        metrics=FormMetrics(total_forms=figures.total, total_submissions=figures.submissions),
        by_form=[FormOut.of(tally) for tally in figures.by_form],
    )


def conversations_out(figures: model.ConversationFigures) -> ConversationsOut:
    median = figures.median_response
    return ConversationsOut(
        period=_period(figures.period),
        metrics=ConversationMetrics(
            total_conversations=figures.total,
            total_messages=sum(figures.by_sender.values()),
            median_first_response_seconds=None if median is None else median.total_seconds(),
        ),
        by_status={str(kind): count for kind, count in figures.by_status.items()},
        by_channel={str(kind): count for kind, count in figures.by_channel.items()},
        by_sender={SENDER_WORDS[sender]: count for sender, count in figures.by_sender.items()},
        by_day=[
            DayOfConversationsOut(
                date=day.date.isoformat(), conversations=day.conversations, messages=day.messages
            )
            for day in figures.by_day
        ],
    )


def revenue_out(figures: model.RevenueFigures) -> RevenueOut:
    currency = figures.currency
    return RevenueOut(
        period=_period(figures.period),
        currency=currency,
        by=figures.bucket,
        total=_takings(figures.total, currency),
        takings=[_takings(each, currency) for each in figures.takings],
        expenses_by_category={
            name: _signed(amount, currency) for name, amount in figures.by_category.items()
        },
        other_currencies=[_other(other) for other in figures.others],
    )


def _period(period: Period) -> PeriodOut:
    return PeriodOut(
        first=period.first.isoformat(),
        last=period.last.isoformat(),
        days=len(period.days),
        timezone=period.zone.key,
    )


def _other(other: model.OtherCurrency) -> OtherCurrencyOut:
    revenue = major(other.revenue_minor, other.currency)
    return OtherCurrencyOut(currency=other.currency, orders=other.orders, revenue=revenue)


def _product(tally: model.ProductTally, currency: str) -> ProductOut:
    return ProductOut(
        product_id=tally.product_id,
        product_name=tally.product_name,
        orders=tally.orders,
        quantity=tally.quantity,
        revenue=major(tally.revenue_minor, currency),
    )


def _takings(takings: model.Takings, currency: str) -> TakingsOut:
    return TakingsOut(
        start=takings.start.isoformat(),
        orders=takings.orders,
        revenue=major(takings.revenue_minor, currency),
        cost=major(takings.cost_minor, currency),
        profit=_signed(takings.profit_minor, currency),
        expenses=_signed(takings.expenses_minor, currency),
        net_profit=_signed(takings.net_profit_minor, currency),
    )


def _signed(minor: int, currency: str) -> Amount:
    return -major(-minor, currency) if minor < 0 else major(minor, currency)
