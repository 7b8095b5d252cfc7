"""Orders and bookings that are taken in a chat: somebody proposes them, here they are checked and placed."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from core.catalogue.errors import ProductNotFound
from core.catalogue.model import Product, ProductKind
from core.catalogue.offers import Offer, by_name
from core.conversations.errors import ConversationNotFound
from core.conversations.messages import cleaned
from core.conversations.model import Conversation
from core.kernel import DomainError, Invalid, Kind, named_id
from core.orders.errors import OfferUnclear, OrderExists
from core.orders.model import NAME_LIMIT, Order, OrderLine, OrderStatus, checked_answers, checked_lines
from core.orders.placing import free_number, place
from core.orders.proof import await_proof
from core.orders.rules import ChatRules, chat_rules
from core.orders.wishes import BookingWish, OrderWish, Placed, Wish
from core.shops.model import Shop
from ports.clock import Clock
from ports.db import Database, Transaction

ORDERS_PER_MESSAGE = 3
"""Of each kind. Nobody means more of them by one message."""

FORMS: dict[type[Wish], tuple[str, str]] = {
    OrderWish: ("conversational-order", "Conversational Order"),
    BookingWish: ("conversational-booking", "Conversational Booking"),
}
"""Id and name of the form that such an order was made with, so to speak."""

_PHONE = re.compile(r"[0-9\s+()-]+", re.ASCII)
_PHONE_DIGITS = 7


@dataclass(frozen=True, slots=True)
class Occasion:
    """The customer's message that an order is placed for."""

    shop_id: str
    conversation_id: str
    message_id: str

    def order_id(self, kind: type[Wish], nth: int) -> str:
        """That of the nth order of this kind; the first is the 0th."""
        return named_id(kind.__name__, self.shop_id, self.conversation_id, self.message_id, str(nth))


@dataclass(slots=True)
class ChatTill:
    """Takes orders on one occasion. Satisfies ports.assistant.Till.

    An order's id is made of the occasion and how many were placed before it: treating the message once more,
    after a crash or because it was delivered twice, finds the orders instead of placing others.
    """

    db: Database
    clock: Clock
    occasion: Occasion
    rules: ChatRules
    offers: Sequence[str] = ()
    placed: list[Placed] = field(default_factory=list)
    _granted: dict[Wish, Placed] = field(default_factory=dict)

    @property
    def takes_orders(self) -> bool:
        return self.rules.orders.is_on

    @property
    def takes_bookings(self) -> bool:
        return self.rules.bookings.is_on

    @property
    def payment_methods(self) -> Sequence[str]:
        return [method.name for method in self.rules.payment_methods]

    async def place(self, wish: Wish) -> Placed:
        """The same wish is granted once. What is wrong with it is told as an error, for another try."""
        is_booking = isinstance(wish, BookingWish)
        if (known := self._granted.get(wish)) is not None:
            return known
        before = sum(placed.is_booking == is_booking for placed in self.placed)
        if before >= ORDERS_PER_MESSAGE:
            return Placed(is_booking=is_booking, error="That was enough for one message")
        try:
            order = await PlaceFromChat(self.db, self.clock)(occasion=self.occasion, wish=wish, nth=before)
        except DomainError as error:
            if error.kind is Kind.UNAVAILABLE:
                raise
            return Placed(is_booking=is_booking, error=str(error))
        placed = Placed(is_booking=is_booking, order_id=order.number or order.id)
        self._granted[wish] = placed
        self.placed.append(placed)
        return placed


@dataclass(frozen=True, slots=True)
class PlaceFromChat:
    db: Database
    clock: Clock

    async def __call__(self, *, occasion: Occasion, wish: Wish, nth: int = 0) -> Order:
        """Place the nth order of its kind for this message, or find it placed.

        Raises ConversationNotFound, also when the customer's message is gone or a person has taken over;
        Invalid, OfferUnclear, OutOfStock.
        """
        order_id = occasion.order_id(type(wish), nth)

        def work(tx: Transaction) -> Order:
            conversation = tx.conversations.get(occasion.conversation_id, lock=True)
            if (known := tx.orders.find(order_id)) is not None:
                return known
            if (
                not conversation.is_ai_active
                or tx.messages.find(conversation.id, occasion.message_id) is None
            ):
                raise ConversationNotFound
            return self._place(tx, conversation, wish, order_id)

        try:
            return await self.db.transact(work, shop=occasion.shop_id)
        except OrderExists:  # the same message is treated twice at a time
            return await self.db.transact(work, shop=occasion.shop_id)

    def _place(self, tx: Transaction, conversation: Conversation, wish: Wish, order_id: str) -> Order:
        shop, now = tx.shops.get(), self.clock.now()
        rules = chat_rules(shop.settings)
        _check_flow(rules, wish)
        order = _order(tx, shop, rules, wish, order_id, conversation.id, now)
        place(tx, order, now)
        if isinstance(wish, OrderWish):
            await_proof(conversation, order, rules.proof, now)
            tx.conversations.save(conversation)
        return order


def placed_before(tx: Transaction, occasion: Occasion) -> list[Placed]:
    """What was placed on this occasion already."""
    ids = {
        occasion.order_id(kind, nth): kind is BookingWish
        for kind in FORMS
        for nth in range(ORDERS_PER_MESSAGE)
    }
    found = tx.orders.by_ids(list(ids))
    return [
        Placed(is_booking=is_booking, order_id=found[id].number or id)
        for id, is_booking in ids.items()
        if id in found
    ]


def _order(
    tx: Transaction,
    shop: Shop,
    rules: ChatRules,
    wish: Wish,
    order_id: str,
    conversation_id: str,
    now: datetime,
) -> Order:
    form_id, form_name = FORMS[type(wish)]
    answers = _answers(wish)
    lines = _lines(tx, wish)
    method = _payment_method(rules, wish.payment_method) if isinstance(wish, OrderWish) else None
    return Order(
        id=order_id,
        number=free_number(tx, booking=isinstance(wish, BookingWish)),
        form_id=form_id,
        form_name=form_name,
        status=OrderStatus.PENDING,
        lines=lines,
        currency=shop.currency,
        submitted_at=now,
        payment_method=method,
        answers=answers,
        conversation_id=conversation_id,
    )


def _check_flow(rules: ChatRules, wish: Wish) -> None:
    flow = rules.bookings if isinstance(wish, BookingWish) else rules.orders
    if not flow.is_on:
        what = "bookings" if isinstance(wish, BookingWish) else "orders"
        raise Invalid(field=what, rule="are not taken in this chat")


def _answers(wish: Wish) -> dict[str, str]:
    """By the labels that the shop's people know. Raises Invalid."""
    match wish:
        case OrderWish():
            named = {
                "Full Name": _said(wish.customer_name, "customerName", NAME_LIMIT),
                "Phone Number": _phone(wish.phone_number),
                "Full Shipping Address": _said(wish.shipping_address, "shippingAddress", 2_000),
            }
        case BookingWish():
            named = {
                "Customer Name": _said(wish.customer_name, "customerName", NAME_LIMIT),
                "Phone Number": _phone(wish.phone_number),
                "Appointment Date": _said(wish.appointment_date, "appointmentDate", NAME_LIMIT),
                "Appointment Time": _said(wish.appointment_time, "appointmentTime", NAME_LIMIT),
            }
    return checked_answers(named)


def _said(text: str, name: str, limit: int) -> str:
    text = cleaned(text).strip()
    if not 1 <= len(text) <= limit:
        raise Invalid(field=name, rule=f"must have 1 to {limit} characters")
    return text


def _phone(text: str) -> str:
    number = _said(text, "phoneNumber", NAME_LIMIT)
    if not _PHONE.fullmatch(number) or sum(c.isdigit() for c in number) < _PHONE_DIGITS:
        raise Invalid(
            field="phoneNumber", rule=f"must be a telephone number of {_PHONE_DIGITS} digits or more"
        )
    return number


def _lines(tx: Transaction, wish: Wish) -> tuple[OrderLine, ...]:
    """At today's prices. Raises Invalid or OfferUnclear."""
    if isinstance(wish, BookingWish):
        wanted, kind = [(wish.service_name, 1)], ProductKind.SERVICE
    else:
        wanted, kind = [(product.name, product.quantity) for product in wish.products], ProductKind.PRODUCT
    if not wanted:
        raise Invalid(field="products", rule="must not be empty")
    offers = [offer for offer in tx.products.offers() if offer.kind is kind]
    quantities: dict[str, int] = {}
    for name, quantity in wanted:
        if quantity < 1:  # before they are added up
            raise Invalid(field="quantity", rule="must be a whole number from 1 up")
        id = _meant(offers, cleaned(name)).id
        quantities[id] = quantities.get(id, 0) + quantity
    # Before the counter of the numbers, as whoever places an order: so nobody waits in a circle.
    return checked_lines(_priced(tx.products.by_ids(quantities, lock=True), quantities))


def _priced(products: Mapping[str, Product], quantities: Mapping[str, int]) -> Iterable[OrderLine]:
    for product_id, quantity in quantities.items():
        product = products.get(product_id)
        if product is None:  # taken from the catalogue since it was found there
            raise ProductNotFound
        yield OrderLine(
            product_id=product_id,
            product_name=product.name,
            quantity=quantity,
            unit_price_minor=product.selling_price_minor,
            unit_cost_minor=product.cost_minor,
        )


def _meant(offers: Sequence[Offer], name: str) -> Offer:
    search = by_name(offers, name)
    if search.found is None:
        names = ", ".join(offer.name for offer in search.candidates)
        raise OfferUnclear(name=name[:NAME_LIMIT], candidates=names or "nothing")
    return search.found


def _payment_method(rules: ChatRules, said: str | None) -> str | None:
    """The name of one that is enabled; None only in a shop that has none. Raises Invalid."""
    names = [method.name for method in rules.payment_methods]
    if not names:
        return None
    folded = cleaned(said or "").strip().casefold()
    meant = [name for name in names if name.casefold() == folded]
    meant = meant or [name for name in names if folded and folded in name.casefold()]
    if len(meant) != 1:
        raise Invalid(field="paymentMethod", rule=f"must be one of {', '.join(names)}")
    return meant[0]
