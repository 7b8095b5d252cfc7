"""Orders that are taken in a chat, on every database: placed once, out of the catalogue, within the stock."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from core.catalogue.errors import OutOfStock
from core.catalogue.model import ProductKind
from core.conversations.errors import ConversationNotFound
from core.conversations.inbox import ChangeConversation
from core.kernel import Invalid
from core.orders.conversational import ORDERS_PER_MESSAGE, ChatTill, Occasion, PlaceFromChat, placed_before
from core.orders.errors import OfferUnclear
from core.orders.model import OrderStatus
from core.orders.rules import chat_rules
from core.orders.wishes import BookingWish, OrderWish, WishedProduct
from tests.builders import a_message, a_product, a_shop

SELLING = {
    "order_management_flow_config": {"enabled": True, "strings": {}},
    "booking_flow_config": {"enabled": True, "strings": {}},
    "payment_methods": [
        {"id": "p1", "name": "Bank transfer", "enabled": True},
        {"id": "p2", "name": "Cash", "enabled": True},
        {"id": "p3", "name": "Gold", "enabled": False},
    ],
    "payment_intelligence_config": {
        "enabled": True,
        "time_window_minutes": 20,
        "status_on_proof": "Confirmed",
    },
}
ORDER = OrderWish(
    customer_name="Mara Klein",
    phone_number="+49 30 1234567",
    shipping_address="Elm Street 5, Berlin",
    products=(WishedProduct(name="house espresso", quantity=2),),
    payment_method="cash",
)
BOOKING = BookingWish(
    customer_name="Mara Klein",
    phone_number="030 1234567",
    service_name="Tasting",
    appointment_date="Monday, 2 March",
    appointment_time="around noon",
)


class Chat:
    """A customer's conversation with a shop that sells there."""

    def __init__(self, db, clock, stage, message):
        self.db, self.clock, self.stage, self.message = db, clock, stage, message
        self.occasion = Occasion(stage.shop.id, message.conversation_id, message.id)

    async def place(self, wish=ORDER, nth=0):
        return await PlaceFromChat(self.db, self.clock)(occasion=self.occasion, wish=wish, nth=nth)

    def till(self):
        return ChatTill(self.db, self.clock, self.occasion, chat_rules(self.stage.shop.settings))

    async def read(self, work):
        return await self.db.read(work, shop=self.stage.shop.id)

    async def orders(self):
        return await self.read(lambda tx: tx.orders.latest(100))

    async def conversation(self):
        return await self.read(lambda tx: tx.conversations.get(self.message.conversation_id))


@pytest.fixture
def chat(db, clock):
    async def begin(**settings):
        stage = await a_shop(db, clock, **{**SELLING, **settings})
        return Chat(db, clock, stage, await a_message(db, clock, stage.visitor, "Two, please"))

    return begin


@pytest.fixture
async def selling(chat, db, clock):
    """With espresso and a tasting in the catalogue."""
    begun = await chat()
    await a_product(db, clock, begun.stage.shop, cost_minor=500)
    await a_product(
        db, clock, begun.stage.shop, name="Tasting", kind=ProductKind.SERVICE, price_minor=2500, stock=0
    )
    return begun


async def test_an_order_is_as_the_shops_people_know_it(selling, clock):
    order = await selling.place()
    (stored,) = await selling.orders()
    assert stored.id == order.id
    assert (stored.number, stored.status, stored.submitted_at) == (
        "LCXX-0001",
        OrderStatus.PENDING,
        clock.now(),
    )
    assert stored.answers == {
        "Full Name": "Mara Klein",
        "Phone Number": "+49 30 1234567",
        "Full Shipping Address": "Elm Street 5, Berlin",
    }
    (line,) = stored.lines
    assert (line.product_name, line.quantity, line.unit_price_minor) == ("House Espresso", 2, 1290)
    assert (line.unit_cost_minor, line.reserved) == (500, 2)
    assert (stored.payment_method, stored.conversation_id) == ("Cash", selling.message.conversation_id)
    (product,) = (await selling.read(lambda tx: tx.products.by_ids([line.product_id]))).values()
    assert product.stock == 8


async def test_a_booking_is_an_order_of_a_service(selling):
    booking = await selling.place(BOOKING)
    assert (booking.number, booking.form_name) == ("BK-0001", "Conversational Booking")
    assert booking.answers == {
        "Customer Name": "Mara Klein",
        "Phone Number": "030 1234567",
        "Appointment Date": "Monday, 2 March",
        "Appointment Time": "around noon",
    }
    (line,) = booking.lines
    assert (line.product_name, line.quantity, line.unit_price_minor, line.reserved) == ("Tasting", 1, 2500, 0)
    assert (await selling.conversation()).awaiting_proof_for_order_id is None


async def test_the_team_and_the_streams_hear_of_it_as_of_any_order(selling):
    order = await selling.place()
    told = [entry.event for entry in await selling.read(lambda tx: tx.stream.after(0, 100))]
    placed = [event for event in told if event.topic == "order.placed"]
    notices = [event for event in told if event.topic == "agents.notified"]
    assert [event.order_id for event in placed] == [order.id]
    assert (notices[-1].order_id, notices[-1].conversation_id) == (order.id, order.conversation_id)


async def test_the_next_picture_is_its_proof(selling, clock):
    order = await selling.place()
    conversation = await selling.conversation()
    assert conversation.awaiting_proof_for_order_id == order.number
    assert conversation.awaiting_proof_until == clock.now() + timedelta(minutes=20)
    assert conversation.tags == (f"Order ID: {order.number}",)


async def test_no_proof_is_waited_for_unless_the_shop_wants_that(chat, db, clock):
    begun = await chat(payment_intelligence_config={"enabled": False, "time_window_minutes": 20})
    await a_product(db, clock, begun.stage.shop)
    await begun.place()
    conversation = await begun.conversation()
    assert (conversation.awaiting_proof_for_order_id, conversation.tags) == (None, ())


async def test_the_same_message_places_one_order_however_often_it_is_treated(selling):
    first = await selling.place()
    again = await selling.place(replace(ORDER, customer_name="M. Klein"))
    assert (again.id, again.number, again.customer_name) == (first.id, first.number, "Mara Klein")
    together = await asyncio.gather(*(selling.place() for _ in range(5)))
    assert {order.id for order in together} == {first.id}
    assert len(await selling.orders()) == 1
    assert (await selling.place(nth=1)).id != first.id


async def test_rivals_for_the_same_message_place_one_order(selling):
    together = await asyncio.gather(*(selling.place() for _ in range(8)))
    assert len({order.id for order in together}) == 1
    assert len(await selling.orders()) == 1
    (offer,) = [one for one in await selling.read(lambda tx: tx.products.offers()) if one.stock]
    assert offer.stock == 8


async def test_customers_who_order_at_once_never_get_more_than_there_is(chat, db, clock):
    first = await chat()
    await a_product(db, clock, first.stage.shop, stock=5)
    chats = [first]
    for number in range(5):
        visitor = replace(first.stage.visitor, visitor_id=f"visitor-{number}")
        message = await a_message(db, clock, visitor)
        chats.append(Chat(db, clock, first.stage, message))
    done = await asyncio.gather(*(one.place() for one in chats), return_exceptions=True)
    assert sorted(type(each).__name__ for each in done) == ["Order"] * 2 + ["OutOfStock"] * 4
    orders = await first.orders()
    assert len({order.number for order in orders}) == 2
    assert [offer.stock for offer in await first.read(lambda tx: tx.products.offers())] == [1]


@pytest.mark.parametrize(
    ("said", "error", "told"),
    [
        ({"products": (WishedProduct(name="Tea", quantity=1),)}, OfferUnclear, "House Espresso"),
        ({"products": (WishedProduct(name="", quantity=1),)}, OfferUnclear, "House Espresso"),
        ({"products": (WishedProduct(name="Tasting", quantity=1),)}, OfferUnclear, "House Espresso"),
        ({"products": ()}, Invalid, "products"),
        ({"products": (WishedProduct(name="espresso", quantity=0),)}, Invalid, "quantity"),
        ({"products": (WishedProduct(name="espresso", quantity=-3),)}, Invalid, "quantity"),
        ({"products": (WishedProduct(name="espresso", quantity=11),)}, OutOfStock, "Only 10"),
        (
            {
                "products": tuple(
                    WishedProduct(name=name, quantity=6) for name in ("espresso", "HOUSE espresso")
                )
            },
            OutOfStock,
            "Only 10",
        ),
        ({"customer_name": " \x00"}, Invalid, "customerName"),
        ({"phone_number": "call me"}, Invalid, "phoneNumber"),
        ({"phone_number": "12345"}, Invalid, "phoneNumber"),
        ({"shipping_address": "x" * 2_001}, Invalid, "shippingAddress"),
        ({"payment_method": None}, Invalid, "Bank transfer, Cash"),
        ({"payment_method": "Gold"}, Invalid, "Bank transfer, Cash"),
        ({"payment_method": "a"}, Invalid, "Bank transfer, Cash"),
    ],
)
async def test_what_is_wrong_is_said_and_changes_nothing(selling, said, error, told):
    with pytest.raises(error, match=told):
        await selling.place(replace(ORDER, **said))
    assert await selling.orders() == []
    assert sum(offer.stock for offer in await selling.read(lambda tx: tx.products.offers())) == 10


async def test_a_shop_without_payment_methods_asks_for_none(chat, db, clock):
    begun = await chat(payment_methods=[])
    await a_product(db, clock, begun.stage.shop)
    assert (await begun.place(replace(ORDER, payment_method=None))).payment_method is None


@pytest.mark.parametrize(
    ("flow", "wish", "field"),
    [("order_management_flow_config", ORDER, "orders"), ("booking_flow_config", BOOKING, "bookings")],
)
async def test_what_the_shop_does_not_take_in_chats_is_refused(chat, db, clock, flow, wish, field):
    begun = await chat(**{flow: {"enabled": False, "strings": {}}})
    with pytest.raises(Invalid, match=field):
        await begun.place(wish)


async def test_a_person_who_took_over_takes_the_orders(selling, db, clock):
    await ChangeConversation(db, clock)(
        actor=selling.stage.owner,
        shop_id=selling.stage.shop.id,
        conversation_id=selling.message.conversation_id,
        changes={"is_ai_active": False},
    )
    with pytest.raises(ConversationNotFound):
        await selling.place()


async def test_a_till_tells_errors_and_grants_the_same_wish_once(selling):
    till = selling.till()
    assert till.payment_methods == ["Bank transfer", "Cash"]
    unclear = await till.place(replace(ORDER, products=(WishedProduct(name="tea", quantity=1),)))
    assert (unclear.success, unclear.order_id) == (False, None)
    assert "House Espresso" in unclear.error
    placed = [await till.place(ORDER), await till.place(ORDER)]
    assert [one.order_id for one in placed] == ["LCXX-0001", "LCXX-0001"]
    booked = await till.place(BOOKING)
    assert [one.order_id for one in till.placed] == ["LCXX-0001", booked.order_id]
    assert len(await selling.orders()) == 2


async def test_a_till_has_an_end(selling):
    till = selling.till()
    for number in range(ORDERS_PER_MESSAGE):
        assert (await till.place(replace(ORDER, customer_name=f"Mara {number}"))).success
    refused = await till.place(replace(ORDER, customer_name="Mara 9"))
    assert "enough" in refused.error


async def test_what_was_placed_for_a_message_is_found_again(selling):
    till = selling.till()
    await till.place(ORDER)
    await till.place(BOOKING)
    found = await selling.read(lambda tx: placed_before(tx, selling.occasion))
    assert sorted(found, key=lambda one: one.is_booking) == till.placed
    other = replace(selling.occasion, message_id="another")
    assert await selling.read(lambda tx: placed_before(tx, other)) == []
