"""A customer fills in a form: the one way in which somebody without an account places an order.

Nothing that a customer says is believed: names and prices are the catalogue's, the payment method the shop's.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.catalogue.errors import OutOfStock
from core.catalogue.model import Product
from core.conversations.messages import cleaned
from core.forms.checking import check_answers, cleaned_answers
from core.forms.errors import AnswerRefused
from core.forms.model import FieldType, Form
from core.kernel import Invalid, KeyReused, named_id
from core.orders.errors import NumberTaken, OrderExists
from core.orders.model import (
    NAME_LIMIT,
    Order,
    OrderLine,
    OrderStatus,
    checked_answers,
    checked_lines,
    checked_proof,
    customer_name_in,
)
from core.orders.placing import free_number, place
from core.shops.model import Shop
from core.shops.payment_methods import PaymentMethod, enabled_methods
from ports.clock import Clock, Ids
from ports.db import Database, Transaction

NAME_LABEL = "Customer Name"
"""Where the customer's name goes when the form does not ask for one: orders find conversations by it."""

BOOKING = "booking"
"""A form with this in its name books appointments."""

PAYMENT_METHOD = "paymentMethod"
"""What it is called where the form has no question for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """`answers` by label, `quantities` by product id; `payment_method` is an id or a name, `payment_proof`
    the address of a picture."""

    answers: Mapping[str, Any] = field(default_factory=dict)
    quantities: Mapping[str, int] = field(default_factory=dict)
    payment_method: str | None = None
    payment_proof: str | None = None
    customer_name: str | None = None


@dataclass(frozen=True, slots=True)
class SubmitForm:
    db: Database
    clock: Clock
    ids: Ids

    async def __call__(
        self, *, shop_id: str, form_id: str, submission: Submission, once: str | None = None
    ) -> Order:
        """Place the order that the form asks for. The same `once` places it once.

        Raises ShopNotFound, FormNotFound, AnswerRefused or Invalid for what the form does not take,
        OutOfStock, or KeyReused when `once` submitted something else.
        """
        order_id = named_id("order", shop_id, form_id, once) if once else self.ids.new()

        def work(tx: Transaction) -> Order:
            shop, known = tx.shops.get(), tx.orders.find(order_id) if once else None
            if known is not None:
                return _submitted_before(shop, known, submission)
            return self._place(tx, shop, tx.forms.get(form_id), submission, order_id)

        try:
            return await self.db.transact(work, shop=shop_id)
        except (OrderExists, NumberTaken, OutOfStock) as error:
            # Another try of the same was first, and took what there was; or somebody made up this number.
            if once is None and isinstance(error, OutOfStock):
                raise
            return await self.db.transact(work, shop=shop_id)

    def _place(self, tx: Transaction, shop: Shop, form: Form, submission: Submission, order_id: str) -> Order:
        answers = cleaned_answers(submission.answers)
        check_answers(form, answers)
        _check_products(form, submission.quantities)
        method = _payment_method(form, shop, submission)
        order = Order(
            id=order_id,
            number=None,
            form_id=form.id,
            form_name=form.name,
            status=OrderStatus.PENDING,
            lines=_lines(tx, submission.quantities),
            currency=shop.currency,
            submitted_at=self.clock.now(),
            payment_method=method.name if method else None,
            payment_proof=checked_proof(submission.payment_proof) if submission.payment_proof else None,
            answers=_kept(answers, submission.customer_name),
        )
        order.number = free_number(tx, booking=BOOKING in form.name.casefold())
        place(tx, order, order.submitted_at)
        return order


def _kept(answers: dict[str, Any], customer_name: str | None) -> dict[str, Any]:
    """With the customer's name, unless some answer tells it. Raises Invalid."""
    name = " ".join(cleaned(customer_name or "").split())
    if len(name) > NAME_LIMIT:
        raise Invalid(field="customer_name", rule=f"may have at most {NAME_LIMIT} characters")
    if name and customer_name_in(answers) is None:
        answers = {NAME_LABEL: name} | answers
    return checked_answers(answers)


def _submitted_before(shop: Shop, known: Order, submission: Submission) -> Order:
    """The order that this submission placed. Raises KeyReused when it says anything else: it is another's."""
    said = submission.payment_method
    paid_by = next((one.name for one in enabled_methods(shop.settings) if said and one.is_called(said)), said)
    content = (
        _kept(cleaned_answers(submission.answers), submission.customer_name),
        dict(submission.quantities),
        paid_by or None,
        submission.payment_proof or None,
    )
    quantities = {line.product_id: line.quantity for line in known.lines}
    if content != (known.answers, quantities, known.payment_method, known.payment_proof):
        raise KeyReused
    return known


def _check_products(form: Form, chosen: Collection[str]) -> None:
    """Raises AnswerRefused. A form without a selector takes every product: it may belong to one of them."""
    selectors = [asked for asked in form.fields if asked.type == FieldType.ITEM_SELECTOR]
    for selector in selectors:
        if selector.required and not any(_offers(selector.item_ids, product_id) for product_id in chosen):
            raise AnswerRefused(field=selector.label, rule="needs a product (orderedProducts)")
    for product_id in chosen if selectors else ():
        if not any(_offers(selector.item_ids, product_id) for selector in selectors):
            raise AnswerRefused(field=selectors[0].label, rule="does not offer one of these products")


def _offers(ids: Collection[str] | None, id: str) -> bool:
    """A selector that names nothing offers everything."""
    return not ids or id in ids


def _payment_method(form: Form, shop: Shop, submission: Submission) -> PaymentMethod | None:
    """Raises AnswerRefused. Where the shop offers no method, none can be asked for."""
    selectors = [asked for asked in form.fields if asked.type == FieldType.PAYMENT_SELECTOR]
    offered = [
        method
        for method in enabled_methods(shop.settings)
        if not selectors or any(_offers(one.payment_method_ids, method.id) for one in selectors)
    ]
    said, label = submission.payment_method, selectors[0].label if selectors else PAYMENT_METHOD
    if not said:
        if offered and any(selector.required for selector in selectors):
            raise AnswerRefused(field=label, rule="must be chosen (paymentMethod)")
        return None
    method = next((one for one in offered if one.is_called(said)), None)
    if method is None:
        raise AnswerRefused(field=label, rule="must be one of the payment methods that are offered")
    if method.requires_proof and not submission.payment_proof:
        raise Invalid(field="payment_proof", rule=f"is required for {method.name}")
    return method


def _lines(tx: Transaction, quantities: Mapping[str, int]) -> tuple[OrderLine, ...]:
    """At the catalogue's prices. Raises Invalid, or OutOfStock before anything is written."""
    products = tx.products.by_ids(quantities, lock=True)
    for product_id, quantity in quantities.items():
        product = products.get(product_id)
        if product is None:
            raise Invalid(field="lines", rule="may hold only products of the shop")
        if product.has_stock and quantity > product.stock:
            raise OutOfStock(product=product.name, stock=product.stock)
    return checked_lines(_line(products[product_id], count) for product_id, count in quantities.items())


def _line(product: Product, quantity: int) -> OrderLine:
    return OrderLine(
        product_id=product.id,
        product_name=product.name,
        quantity=quantity,
        unit_price_minor=product.selling_price_minor,
        unit_cost_minor=product.cost_minor,
    )
