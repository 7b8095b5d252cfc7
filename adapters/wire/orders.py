"""Orders as the platform's pages see them: a FormSubmission, with one top-level key for each answer.

Pure functions. Known keys win over answers of the same label, and answers over what Parley adds for
convenience: the total, the currency, and snake_case twins for clients that were written in that spelling.
"""

import re
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from adapters.wire.base import ms
from adapters.wire.conversations import EPOCH, LAST_MOMENT
from adapters.wire.money import major, nearest_minor
from core.conversations.messages import cleaned
from core.kernel import Invalid
from core.orders.documents import DiscountDocument, LineDocument, OrderDocument
from core.orders.model import (
    LINES_LIMIT,
    NAME_LIMIT,
    NUMBER_LIMIT,
    DiscountType,
    Order,
    OrderLine,
    OrderStatus,
)

Json = dict[str, Any]

ID_LIMIT = 64

STATUS_WORDS = {
    OrderStatus.PENDING: "Pending",
    OrderStatus.CONFIRMED: "Confirmed",
    OrderStatus.COMPLETED: "Completed",
    OrderStatus.CANCELLED: "Cancelled",
    OrderStatus.RETURNED: "Return",
}
STATUS_SYNONYMS = {word.lower(): status for status, word in STATUS_WORDS.items()} | {
    "processing": OrderStatus.CONFIRMED,
    "canceled": OrderStatus.CANCELLED,
    "returned": OrderStatus.RETURNED,
    "refunded": OrderStatus.RETURNED,
}

KNOWN = {
    "submissionId": "id",
    "orderId": "number",
    "formId": "form_id",
    "formName": "form_name",
    "submittedAt": "submitted_at",
    "status": "status",
    "orderedProducts": "lines",
    "paymentMethod": "payment_method",
    "paymentScreenshotUrl": "payment_proof",
    "discount": "discount",
}
"""The keys of the type, and what they are called inside."""


@cache
def _snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda found: f"_{found[0].lower()}", name)


TWINS = {_snake(name): name for name in KNOWN if _snake(name) != name}
EXTRAS = frozenset({"total", "currency", "shopId"})
"""What Parley adds on HTTP or on sockets, and pages send back without knowing."""

_NEVER_NULL = frozenset({"id", "number", "form_id", "form_name", "submitted_at", "status", "lines"})


def order_out(order: Order) -> Json:
    """A FormSubmission. Amounts are in major units of the order's currency, the time is in milliseconds."""
    known: Json = {
        "submissionId": order.id,
        "orderId": order.number,
        "formId": order.form_id,
        "formName": order.form_name,
        "submittedAt": ms(order.submitted_at),
        "status": STATUS_WORDS[order.status],
        "orderedProducts": [_line_out(line, order.currency) for line in order.lines],
        "paymentMethod": order.payment_method,
        "paymentScreenshotUrl": order.payment_proof,
        "discount": _discount_out(order),
    }
    known = {name: value for name, value in known.items() if value is not None}
    return known | _extras(order, known) | {k: v for k, v in order.answers.items() if k not in KNOWN}


def _extras(order: Order, known: Json) -> Json:
    """No twin of the proof of payment, which may be a picture."""
    twins = {twin: known[name] for twin, name in TWINS.items() if name in known}
    twins.pop("payment_screenshot_url", None)
    twins["ordered_products"] = [_twin_of(line) for line in known["orderedProducts"]]
    return twins | {"total": major(order.total_minor, order.currency), "currency": order.currency}


def parse(document: Mapping[str, Any], currency: str, *, labels: Collection[str] = ()) -> OrderDocument:
    """A FormSubmission, or any part of one, in either spelling; where both are there, the wire's own counts.

    `labels`: those of answers that the stored order has, or that its form asks for. A key that Parley may
    have added itself (a twin, an extra) is an answer only if it is among them. Amounts are rounded half up to
    the minor units of `currency`. Raises Invalid, which names the field in the wire's spelling.
    """
    twins = {name: document[twin] for twin, name in TWINS.items() if twin in document and twin not in labels}
    named = twins | {name: document[name] for name in KNOWN if name in document}
    fields = {KNOWN[name]: _READERS[KNOWN[name]](value, name, currency) for name, value in named.items()}
    given: Json = {
        field: value for field, value in fields.items() if value is not None or field not in _NEVER_NULL
    }
    ours = (KNOWN.keys() | TWINS.keys() | EXTRAS) - (set(labels) - KNOWN.keys())
    answers = {key: value for key, value in document.items() if key not in ours}
    return OrderDocument(given=frozenset(given), answers=answers, **given)


def status_of(word: Any, *, field: str = "status") -> OrderStatus:
    """In any case, and as other clients call it. Raises Invalid."""
    status = STATUS_SYNONYMS.get(word.strip().lower()) if isinstance(word, str) else None
    if status is None:
        raise Invalid(field=field, rule=f"must be one of {', '.join(STATUS_WORDS.values())}")
    return status


def rounded(amount: Any, currency: str, *, field: str) -> int:
    """Minor units of an amount in major ones, half up. Raises Invalid."""
    if isinstance(amount, bool) or not isinstance(amount, int | float):
        raise Invalid(field=field, rule="must be a number")
    return nearest_minor(amount, currency, field=field)


def _line_out(line: OrderLine, currency: str) -> Json:
    return {
        "productId": line.product_id,
        "productName": line.product_name,
        "quantity": line.quantity,
        "unitPrice": major(line.unit_price_minor, currency),
    }


def _twin_of(line: Json) -> Json:
    return {_snake(name): value for name, value in line.items()}


def _discount_out(order: Order) -> Json | None:
    discount = order.discount
    if discount is None:
        return None
    amount = major(discount.amount_minor, order.currency)
    value = int(discount.value) if discount.value == int(discount.value) else discount.value
    return {"type": discount.type.value, "value": value, "amount": amount}


def _text(value: Any, field: str, limit: int) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise Invalid(field=field, rule="must be a text")
    if len(value) > limit:
        raise Invalid(field=field, rule=f"may have at most {limit} characters")
    return cleaned(value).strip()


def _id(value: Any, field: str, _: str) -> str | None:
    """Some clients count their rows. What is empty names nothing."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return _text(value, field, ID_LIMIT) or None


def _number(value: Any, field: str, _: str) -> str | None:
    return _text(value, field, NUMBER_LIMIT) or None


def _name(value: Any, field: str, _: str) -> str | None:
    """What is blank names nothing."""
    return _text(value, field, NAME_LIMIT) or None


def _proof(value: Any, field: str, _: str) -> str | None:
    """How big it may be, and what of, is for the order to say."""
    return _text(value, field, 10**9) or None


def _moment(value: Any, field: str, _: str) -> datetime | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LAST_MOMENT:
        raise Invalid(field=field, rule="must be a time in milliseconds since 1970")
    return EPOCH + timedelta(milliseconds=int(value))


def _status(value: Any, field: str, _: str) -> OrderStatus | None:
    return None if value is None else status_of(value, field=field)


def _lines(value: Any, field: str, currency: str) -> tuple[LineDocument, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list):
        raise Invalid(field=field, rule="must be a list")
    if len(value) > LINES_LIMIT:
        raise Invalid(field=field, rule=f"may hold at most {LINES_LIMIT} entries")
    lines = [_line(entry, f"{field}[{place}]", currency) for place, entry in enumerate(value)]
    # Pages list products of which nothing was ordered.
    return tuple(line for line in lines if line.quantity)


def _line(entry: Any, field: str, currency: str) -> LineDocument:
    if not isinstance(entry, Mapping):
        raise Invalid(field=field, rule="must be an object")
    price = _first(entry, "unitPrice", "unit_price", "price")
    product_id = _id(_first(entry, "productId", "product_id", "id"), f"{field}.productId", currency)
    if product_id is None:
        raise Invalid(field=f"{field}.productId", rule="is required")
    return LineDocument(
        product_id=product_id,
        product_name=_name(_first(entry, "productName", "product_name", "name"), f"{field}.productName", ""),
        quantity=_quantity(entry.get("quantity"), f"{field}.quantity"),
        unit_price_minor=None if price is None else rounded(price, currency, field=f"{field}.unitPrice"),
    )


def _first(entry: Mapping[str, Any], *names: str) -> Any:
    return next((entry[name] for name in names if entry.get(name) is not None), None)


def _quantity(value: Any, field: str) -> int:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or value != int(value) or value < 0:
        raise Invalid(field=field, rule="must be a whole number from 0 up")
    return int(value)


def _discount(value: Any, field: str, currency: str) -> DiscountDocument | None:
    """The page's own `amount` is passed over: it follows from the lines."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise Invalid(field=field, rule="must be an object")
    words = {kind.value: kind for kind in DiscountType}
    kind = words.get(str(value.get("type")).lower())
    if kind is None:
        raise Invalid(field=f"{field}.type", rule=f"must be one of {', '.join(words)}")
    said = value.get("value")
    rounded(said, currency, field=f"{field}.value")
    return DiscountDocument(type=kind, value=float(said)) if said else None


_READERS = {
    "id": _id,
    "number": _number,
    "form_id": _id,
    "form_name": _name,
    "submitted_at": _moment,
    "status": _status,
    "lines": _lines,
    "payment_method": _name,
    "payment_proof": _proof,
    "discount": _discount,
}
