"""Figures counted by SQL, held against a model in plain Python, on every database."""

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.analytics.expenses import expenses_of
from core.analytics.model import Bucket
from core.analytics.periods import Period, begin_of, zone_of
from core.analytics.revenue import takings
from core.analytics.use_cases import CountConversations, CountOrders, CountProducts, CountRevenue, SumUp, When
from core.conversations.messages import Message, Sender
from core.conversations.model import Channel, Conversation, Status
from core.kernel import Invalid
from core.orders.model import Discount, DiscountType, Order, OrderLine, OrderStatus
from tests.builders import a_product, a_shop, ids

ZONES = ["UTC", "Europe/Vienna", "America/Sao_Paulo", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia"]
FIRST, LAST = date(2026, 3, 20), date(2026, 4, 10)
"""European clocks go forward and those of Lord Howe Island go back in between."""

EDGES = [
    begin_of(day + timedelta(days=1), ZoneInfo(zone)) - timedelta(milliseconds=before)
    for zone in ZONES
    for day in (FIRST, LAST, date(2026, 3, 28), date(2026, 3, 29), date(2026, 4, 4), date(2026, 4, 5))
    for before in (0, 1)
]
MOMENTS = st.sampled_from(EDGES) | st.datetimes(datetime(2026, 3, 18), datetime(2026, 4, 12)).map(  # noqa: DTZ001 - made aware here
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=UTC)
)
LINES = st.lists(
    st.builds(
        OrderLine,
        product_id=st.sampled_from("abc"),
        product_name=st.just("Tea"),
        quantity=st.integers(1, 5),
        unit_price_minor=st.integers(0, 5_000),
        unit_cost_minor=st.none() | st.integers(0, 6_000),
    ),
    max_size=4,
)


@st.composite
def an_order(draw):
    lines, currency = tuple(draw(LINES)), draw(st.sampled_from(["USD", "USD", "USD", "JPY"]))
    order = Order(
        id=ids.new(),
        number=None,
        form_id=draw(st.sampled_from(["f1", "f2"])),
        form_name="Form",
        status=draw(st.sampled_from([*OrderStatus, OrderStatus.COMPLETED])),
        lines=lines,
        currency=currency,
        submitted_at=draw(MOMENTS),
    )
    value = draw(st.none() | st.integers(0, 100))
    if value is not None:
        order.discount = Discount.of(
            draw(st.sampled_from(DiscountType)), value, subtotal_minor=order.subtotal_minor, currency=currency
        )
    return order


@pytest.fixture
async def stage(db, clock):
    return await a_shop(db, clock)


async def in_zone(db, stage, zone, **more):
    def work(tx):
        shop = tx.shops.get(lock=True)
        shop.settings = {**shop.settings, "timezone": zone, **more}
        tx.shops.save(shop)

    await db.transact(work, shop=stage.shop.id)


async def keep(db, stage, orders):
    def work(tx):
        for order in tx.orders.latest(1_000):
            tx.orders.delete(order)
        for order in orders:
            tx.orders.add(order)

    await db.transact(work, shop=stage.shop.id)


def asked(stage, **when):
    return {"actor": stage.owner, "shop_id": stage.shop.id, "when": When(**when)}


BETWEEN = {"first": FIRST, "last": LAST}


def local_day(order, zone):
    return order.submitted_at.astimezone(ZoneInfo(zone)).date()


@pytest.fixture
def run():
    """Hypothesis makes the examples beforehand: one event loop has them all."""

    def examples(strategy, count):
        found = []

        @settings(
            max_examples=count, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
        )
        @given(strategy)
        def gather(example):
            found.append(example)

        gather()
        return found

    return examples


async def test_orders_and_revenue_are_those_of_a_plain_model(db, clock, stage, run):
    examples = st.tuples(st.sampled_from(ZONES), st.lists(an_order(), max_size=30))
    for zone, orders in run(examples, 25):
        await in_zone(db, stage, zone)
        await keep(db, stage, orders)
        ours = [order for order in orders if FIRST <= local_day(order, zone) <= LAST]
        sold = [o for o in ours if o.status is OrderStatus.COMPLETED and o.currency == "USD"]
        count, revenue, cost = Counter(), Counter(), Counter()
        for order in ours:
            count[local_day(order, zone)] += 1
        for order in sold:
            revenue[local_day(order, zone)] += order.total_minor
            cost[local_day(order, zone)] += sum(
                line.quantity * (line.unit_cost_minor or 0) for line in order.lines
            )
        figures = await CountOrders(db, clock)(**asked(stage, **BETWEEN))
        assert {day.date: day.orders for day in figures.by_day if day.orders} == dict(count)
        assert {day.date: day.revenue_minor for day in figures.by_day if day.revenue_minor} == {
            day: amount for day, amount in revenue.items() if amount
        }
        assert figures.by_status == {status: sum(o.status is status for o in ours) for status in OrderStatus}
        assert (figures.total, figures.completed) == (len(ours), len(sold))
        yen = [order for order in ours if order.currency == "JPY"]
        assert [(other.currency, other.orders, other.revenue_minor) for other in figures.others] == (
            [("JPY", len(yen), sum(o.total_minor for o in yen if o.status is OrderStatus.COMPLETED))]
            if yen
            else []
        )
        money = await CountRevenue(db, clock)(**asked(stage, **BETWEEN), bucket=Bucket.DAY)
        assert {each.start: each.profit_minor for each in money.takings} == {
            day: revenue[day] - cost[day] for day in money.period.days
        }


async def test_what_sold_best_is_what_a_plain_model_says(db, clock, stage, run):
    for orders in run(st.lists(an_order(), max_size=30), 10):
        await keep(db, stage, orders)
        quantity, revenue, seen = Counter(), Counter(), defaultdict(set)
        for order in orders:
            is_sold = order.status is OrderStatus.COMPLETED and order.currency == "USD"
            if is_sold and FIRST <= local_day(order, "UTC") <= LAST:
                for line in order.lines:
                    quantity[line.product_id] += line.quantity
                    revenue[line.product_id] += line.quantity * line.unit_price_minor
                    seen[line.product_id].add(order.id)
        figures = await CountProducts(db, clock)(**asked(stage, **BETWEEN))
        assert [tally.product_id for tally in figures.by_revenue] == sorted(
            revenue, key=lambda id: (-revenue[id], -quantity[id], id)
        )
        assert [tally.product_id for tally in figures.by_quantity] == sorted(
            quantity, key=lambda id: (-quantity[id], -revenue[id], id)
        )
        for tally in figures.by_revenue:
            id = tally.product_id
            assert (tally.quantity, tally.revenue_minor) == (quantity[id], revenue[id])
            assert tally.orders == len(seen[id])


def a_conversation(begun, channel, status, *said):
    """`said`: who, after how many seconds, and whether as a note."""
    conversation = Conversation(
        id=ids.new(), channel=channel, customer_name="Mara", created_at=begun, last_message_at=begun
    )
    conversation.status = status
    messages = [
        Message(
            id=ids.new(),
            conversation_id=conversation.id,
            sequence=number,
            sender=sender,
            sender_id=None,
            sender_name=None,
            text="Hello",
            is_note=is_note,
            created_at=begun + timedelta(seconds=after),
        )
        for number, (sender, after, is_note) in enumerate(said, 1)
    ]
    conversation.last_message_at = max([begun, *(message.created_at for message in messages)])
    return conversation, messages


CUSTOMER, AGENT, ASSISTANT = Sender.CUSTOMER, Sender.AGENT, Sender.ASSISTANT
BEGUN = datetime(2026, 3, 29, 12, tzinfo=UTC)


async def test_conversations_are_counted_where_they_began_and_messages_where_they_were_said(db, clock, stage):
    said = [
        a_conversation(BEGUN, Channel.WEB, Status.OPEN, (CUSTOMER, 0, False), (AGENT, 30, False)),
        a_conversation(
            BEGUN,
            Channel.WEB,
            Status.CLOSED,
            (CUSTOMER, 5, False),
            (ASSISTANT, 6, False),
            (AGENT, 8, True),
            (AGENT, 105, False),
        ),
        a_conversation(
            BEGUN, Channel.TELEGRAM, Status.PENDING, (CUSTOMER, 0, False), (AGENT, 86_400 + 50, False)
        ),
        a_conversation(BEGUN, Channel.WEB, Status.OPEN, (AGENT, 0, False), (CUSTOMER, 10, False)),
        a_conversation(
            BEGUN - timedelta(days=40),
            Channel.WEB,
            Status.OPEN,
            (CUSTOMER, 0, False),
            (CUSTOMER, 40 * 86_400, False),
        ),
    ]

    def work(tx):
        for conversation, messages in said:
            tx.conversations.add(conversation)
            for message in messages:
                tx.messages.add(message)

    await db.transact(work, shop=stage.shop.id)
    figures = await CountConversations(db, clock)(**asked(stage, **BETWEEN))
    assert figures.total == 4
    assert figures.by_status == {Status.OPEN: 2, Status.PENDING: 1, Status.CLOSED: 1}
    assert figures.by_channel == {Channel.WEB: 3, Channel.TELEGRAM: 1}
    assert figures.by_sender == {CUSTOMER: 5, AGENT: 4, ASSISTANT: 1}
    days = {day.date: (day.conversations, day.messages) for day in figures.by_day if day.messages}
    assert days == {date(2026, 3, 29): (4, 9), date(2026, 3, 30): (0, 1)}
    assert figures.median_response == timedelta(seconds=median([30, 100, 86_450]))


async def test_no_answer_is_no_response_time(db, clock, stage):
    figures = await CountConversations(db, clock)(**asked(stage, **BETWEEN))
    assert (figures.total, figures.median_response) == (0, None)


async def test_an_overview_has_all_of_it_and_another_shop_has_none(db, clock, stage):
    other = await a_shop(db, clock)
    await a_product(db, clock, stage.shop)
    overview = await SumUp(db, clock)(**asked(stage))
    assert (overview.products.total, overview.forms.total, overview.orders.total) == (1, 0, 0)
    assert len(overview.orders.by_day) == 30
    assert overview.orders.by_day[-1].date == clock.now().date()
    assert (await SumUp(db, clock)(**asked(other))).products.total == 0


@pytest.mark.parametrize("zone", ZONES)
def test_every_moment_has_the_day_that_the_clocks_show(zone):
    period = Period(date(2026, 1, 1), date(2026, 12, 31), ZoneInfo(zone))
    at, stretches = period.begins, period.stretches
    assert (at - timedelta(milliseconds=1)).astimezone(period.zone).date() == date(2025, 12, 31)
    assert period.ends.astimezone(period.zone).date() == date(2027, 1, 1)
    days, ends = period.days, period.ends
    while at < ends:
        stretch = next(stretch for stretch in stretches if at < stretch.ends)
        assert days[(at - stretch.origin).days] == at.astimezone(period.zone).date()
        at += timedelta(minutes=17)


def test_clocks_change_when_they_do():
    vienna = Period(date(2026, 1, 1), date(2026, 12, 31), ZoneInfo("Europe/Vienna"))
    changes = [stretch.ends for stretch in vienna.stretches]
    assert changes == [
        datetime(2026, 3, 29, 1, tzinfo=UTC),
        datetime(2026, 10, 25, 1, tzinfo=UTC),
        vienna.ends,
    ]
    assert len(Period(FIRST, LAST, ZoneInfo("UTC")).stretches) == 1


def test_days_are_as_long_as_the_clocks_make_them():
    def hours(day, zone):
        begin, end = begin_of(day, ZoneInfo(zone)), begin_of(day + timedelta(days=1), ZoneInfo(zone))
        return (end - begin) / timedelta(hours=1)

    assert hours(date(2026, 3, 29), "Europe/Vienna") == 23
    assert hours(date(2026, 10, 25), "Europe/Vienna") == 25
    assert hours(date(2026, 4, 5), "Australia/Lord_Howe") == 24.5
    assert hours(date(2018, 11, 4), "America/Sao_Paulo") == 23, "the clocks skipped midnight"
    assert hours(date(2011, 12, 30), "Pacific/Apia") == 0, "there was no such day"


NOW = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)


def test_the_period_ends_today_where_the_shop_is():
    vienna = Period.of(ZoneInfo("Europe/Vienna"), NOW, days=7)
    assert (vienna.first, vienna.last) == (date(2026, 3, 23), date(2026, 3, 29))
    until = Period.of(ZoneInfo("UTC"), NOW, days=1, last=date(2026, 1, 5))
    assert (until.first, until.last) == (date(2026, 1, 5), date(2026, 1, 5))
    assert len(Period.of(ZoneInfo("UTC"), NOW).days) == 30
    assert len(Period.of(ZoneInfo("UTC"), NOW, first=date(2025, 3, 29)).days) == 365


@pytest.mark.parametrize(
    "when",
    [
        {"days": 0},
        {"days": 367},
        {"days": 5, "first": date(2026, 1, 1)},
        {"first": date(2026, 4, 1)},
        {"first": date(2025, 3, 27)},
        {"first": date(1969, 12, 31), "last": date(1970, 1, 2)},
        {"last": date(9999, 12, 31)},
    ],
)
def test_impossible_periods_are_refused(when):
    with pytest.raises(Invalid):
        Period.of(ZoneInfo("UTC"), NOW, **when)


def test_an_unknown_zone_is_utc():
    assert zone_of({"timezone": "Mars/Olympus"}).key == "UTC"
    assert zone_of({}).key == "UTC"
    assert zone_of({"timezone": "Europe"}).key == "UTC"


def test_expenses_count_on_their_day_whatever_else_the_owner_has_written():
    entries = [
        {"date": "2026-03-20", "amount": 10.005, "category": "Rent"},
        {"date": "2026-04-10", "amount": 5, "category": ""},
        {"date": "2026-04-11", "amount": 7, "category": "Rent"},
        {"date": "someday", "amount": 7},
        {"date": "2026-04-01", "amount": "much"},
    ]
    period = Period(FIRST, LAST, ZoneInfo("UTC"))
    found = expenses_of({"expenses": entries}, "USD", period)
    assert [(one.category, one.amount_minor) for one in found] == [("Rent", 1001), ("Other", 500)]
    total, parts = takings(period, Bucket.MONTH, [], [], found)
    assert [(part.start, part.net_profit_minor) for part in parts] == [
        (date(2026, 3, 1), -1001),
        (date(2026, 4, 1), -500),
    ]
    assert total.net_profit_minor == -1501
    weeks = takings(period, Bucket.WEEK, [], [], found)[1]
    assert [week.start for week in weeks] == [date(2026, 3, 16) + timedelta(days=7 * n) for n in range(4)]
