"""Orders, products and conversations as CSV (RFC 4180, UTF-8), which spreadsheets open without running it."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

import msgspec

from adapters.wire.orders import STATUS_WORDS
from core.catalogue.model import Product
from core.conversations.model import Conversation
from core.exports.use_cases import LABELS_LIMIT, Export
from core.money import digits
from core.orders.model import Order
from core.pictures import is_inline

Cell = str | int | float | Decimal | datetime | bool | None

BOM = "\ufeff"
"""Some spreadsheets take UTF-8 for something else without it."""

_RISKY = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\t", "\r", "\n")
"""What a cell begins with that spreadsheets take for a formula; some do for the full-width signs, too."""

INSIDE = "(picture)"
"""In place of a picture that is part of the order itself."""

ORDER_COLUMNS = (
    *("Order", "Submission ID", "Submitted", "Status", "Form", "Customer", "Products", "Units", "Subtotal"),
    *("Discount", "Total", "Currency", "Payment method", "Proof of payment"),
)
MORE_ANSWERS = "Other answers"
PRODUCT_COLUMNS = (
    *("Product ID", "Type", "Name", "Description", "Price", "Cost", "Promo price", "Currency", "Stock"),
    *("Category", "Duration (minutes)", "Location", "Warranty", "Picture", "Added"),
)
CONVERSATION_COLUMNS = (
    *("Conversation ID", "Customer", "Channel", "Status", "Assignee ID", "Tags", "Notes", "Messages"),
    *("Began", "Last message"),
)


def order_columns(export: Export) -> list[str]:
    """One for each label of an answer; if there are too many labels, the rest has one together."""
    more = [MORE_ANSWERS] if len(export.labels) == LABELS_LIMIT else []
    return [*ORDER_COLUMNS, *export.labels, *more]


def order_rows(orders: Iterable[Order], export: Export) -> list[list[Cell]]:
    return [_order(order, export) for order in orders]


def product_rows(products: Iterable[Product], export: Export) -> list[list[Cell]]:
    return [_product(product, export) for product in products]


def conversation_rows(conversations: Iterable[Conversation], export: Export) -> list[list[Cell]]:
    return [_conversation(conversation, export) for conversation in conversations]


def written(rows: Iterable[Sequence[Cell]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows([_safe(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def _safe(cell: Cell) -> Any:
    """Numbers are numbers; a text that begins like a formula gets an apostrophe before it."""
    match cell:
        case datetime():
            return cell.isoformat(timespec="seconds")
        case bool():
            return "yes" if cell else "no"
        case str() if cell.startswith(_RISKY):
            return f"'{cell}"
    return cell


def _order(order: Order, export: Export) -> list[Cell]:
    discount = order.discount.amount_minor if order.discount else 0
    known = set(export.labels)
    others = {label: answer for label, answer in order.answers.items() if label not in known}
    return [
        order.number,
        order.id,
        order.submitted_at.astimezone(export.zone),
        STATUS_WORDS[order.status],
        order.form_name,
        order.customer_name,
        "; ".join(f"{line.quantity} × {line.product_name}" for line in order.lines),  # noqa: RUF001
        sum(line.quantity for line in order.lines),
        _amount(order.subtotal_minor, order.currency),
        _amount(discount, order.currency),
        _amount(order.total_minor, order.currency),
        order.currency,
        order.payment_method,
        INSIDE if order.payment_proof and is_inline(order.payment_proof) else order.payment_proof,
        *(_answer(order.answers.get(label)) for label in export.labels),
        *([_answer(others) if others else None] if len(export.labels) == LABELS_LIMIT else ()),
    ]


def _product(product: Product, export: Export) -> list[Cell]:
    currency, image = export.currency, product.image_url
    return [
        product.id,
        product.kind.value,
        product.name,
        product.description,
        _amount(product.price_minor, currency),
        _amount(product.cost_minor, currency),
        _amount(product.promo_price_minor, currency),
        currency,
        product.stock if product.has_stock else None,
        product.category,
        product.duration_minutes,
        product.location,
        product.warranty,
        INSIDE if image and is_inline(image) else image,
        product.created_at.astimezone(export.zone),
    ]


def _conversation(conversation: Conversation, export: Export) -> list[Cell]:
    return [
        conversation.id,
        conversation.customer_name,
        conversation.channel.value,
        conversation.status.value,
        conversation.assignee_id,
        ", ".join(conversation.tags),
        conversation.notes,
        conversation.last_sequence,
        conversation.created_at.astimezone(export.zone),
        conversation.last_message_at.astimezone(export.zone),
    ]


def _amount(minor: int | None, currency: str) -> Decimal | None:
    return None if minor is None else Decimal(minor).scaleb(-digits(currency))


def _answer(answer: Any) -> Cell:
    if isinstance(answer, list) and all(isinstance(entry, str) for entry in answer):
        return ", ".join(answer)
    if isinstance(answer, list | tuple | Mapping):
        return msgspec.json.encode(answer).decode()
    return cast(Cell, answer)
