"""From what clients write down to orders: the new ones, and what changes of those that are there."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any, cast

from core.kernel import Invalid, checked_id
from core.orders.documents import OrderDocument
from core.orders.errors import NumberTaken
from core.orders.model import (
    Discount,
    Order,
    OrderChanges,
    OrderLine,
    OrderStatus,
    checked_answers,
    checked_proof,
)
from core.orders.numbers import trailing
from core.orders.placing import free_number
from core.orders.pricing import priced
from ports.db import Transaction

Read = Callable[[str, Collection[str]], OrderDocument]
"""Reads what the client wrote, given the currency, and the labels of answers that are known to be there."""

FORM_NAME = "Order"
"""Of an order that was made without a form."""


def changes_of(
    tx: Transaction, order: Order, document: OrderDocument, *, whole: bool = False
) -> OrderChanges:
    """What the document wants of this order. Its id, number and time are what they are.

    In a `whole` document, what is absent of the payment, the discount and the answers is cleared; in a part
    it stays, and an answer goes away when it is null. Raises Invalid or ProductNotFound.
    """
    wanted: dict[str, Any] = {
        name: getattr(document, name)
        for name in ("status", "form_id", "form_name", "payment_method", "payment_proof")
        if name in document.given or (whole and name.startswith("payment"))
    }
    if document.lines is not None:
        wanted["lines"] = priced(tx, document.lines, order.currency, known=order.lines)
    if whole or "discount" in document.given:
        lines = wanted.get("lines", order.lines)
        wanted["discount"] = _discount(document, lines, order.currency)
    if (proof := wanted.get("payment_proof")) not in {None, order.payment_proof}:
        checked_proof(proof)
    if whole or document.answers:
        gone = set() if whole else {label for label, value in document.answers.items() if value is None}
        merged = document.answers if whole else {**order.answers, **document.answers}
        wanted["answers"] = checked_answers({k: v for k, v in merged.items() if k not in gone})
    return cast(OrderChanges, wanted)


def order_of(tx: Transaction, document: OrderDocument, *, id: str, now: datetime) -> Order:
    """A new order in the shop's currency, not stored yet; what the document leaves open is worked out.

    Raises Invalid, ProductNotFound, or NumberTaken.
    """
    currency = tx.shops.get().currency
    # Whoever places an order locks products before the counter of the numbers: so nobody waits in a circle.
    lines = priced(tx, document.lines or (), currency, lock=True)
    if not lines and not document.answers:
        raise Invalid(field="lines", rule="must not be empty where nothing is answered either")
    proof = document.payment_proof
    return Order(
        id=checked_id(document.id or id, field="order_id"),
        number=_number(tx, document),
        form_id=document.form_id or "",
        form_name=document.form_name or FORM_NAME,
        status=document.status or OrderStatus.PENDING,
        lines=lines,
        currency=currency,
        submitted_at=min(document.submitted_at or now, now),
        payment_method=document.payment_method or None,
        payment_proof=checked_proof(proof) if proof else None,
        discount=_discount(document, lines, currency),
        answers=checked_answers(document.answers),
    )


def _number(tx: Transaction, document: OrderDocument) -> str:
    """The client's own, if it numbers its orders itself: then ours go on above it."""
    if document.number is None:
        return free_number(tx, booking="booking" in (document.form_name or "").lower())
    if not tx.orders.is_number_free(document.number):
        raise NumberTaken
    tx.orders.note_number(trailing(document.number))
    return document.number


def _discount(document: OrderDocument, lines: Collection[OrderLine], currency: str) -> Discount | None:
    wanted = document.discount
    if wanted is None:
        return None
    subtotal = sum(line.quantity * line.unit_price_minor for line in lines)
    return Discount.of(wanted.type, wanted.value, subtotal_minor=subtotal, currency=currency)
