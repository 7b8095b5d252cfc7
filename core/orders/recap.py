"""An order in a shop's own words: a text with places in square brackets."""

from collections.abc import Iterable
from decimal import Decimal

from core.money import digits
from core.orders.model import Order, OrderStatus

UNKNOWN = "-"
STATUS_WORDS = {
    OrderStatus.PENDING: "Pending",
    OrderStatus.CONFIRMED: "Confirmed",
    OrderStatus.COMPLETED: "Completed",
    OrderStatus.CANCELLED: "Cancelled",
    OrderStatus.RETURNED: "Return",
}
"""As the shop's people read them on their own pages."""


def recap(order: Order, text: str) -> str:
    """The text with these places filled in: `[ORDER_ID]`, `[BOOKING_ID]`, `[CUSTOMER_NAME]`,
    `[PHONE_NUMBER]`, `[SHIPPING_ADDRESS]`, `[PRODUCT_LIST]`, `[SERVICE_NAME]`, `[DATE]`, `[TIME]`,
    `[TOTAL_AMOUNT]`, `[STATUS]`."""
    number = order.number or order.id
    said = {
        "ORDER_ID": number,
        "BOOKING_ID": number,
        "CUSTOMER_NAME": order.customer_name or UNKNOWN,
        "PHONE_NUMBER": _answer(order, "phone number", "phone"),
        "SHIPPING_ADDRESS": _answer(order, "full shipping address", "address", "shipping address"),
        "PRODUCT_LIST": "\n".join(f"- {line.product_name} (x{line.quantity})" for line in order.lines)
        or UNKNOWN,
        "SERVICE_NAME": order.lines[0].product_name if order.lines else UNKNOWN,
        "DATE": _answer(order, "appointment date", "date"),
        "TIME": _answer(order, "appointment time", "time"),
        "TOTAL_AMOUNT": amount(order.total_minor, order.currency),
        "STATUS": STATUS_WORDS[order.status],
    }
    # Split at the places first: what customers have answered may look like a place, too.
    return "".join(said.get(part[1:-1], part) if part.startswith("[") else part for part in _parts(text))


def amount(minor: int, currency: str) -> str:
    """`1290` in USD is `12.90 USD`."""
    return f"{Decimal(minor).scaleb(-digits(currency)):,} {currency}"


def is_booking(order: Order) -> bool:
    return "booking" in order.form_name.casefold()


def _answer(order: Order, *labels: str) -> str:
    by_label = {label.casefold(): answer for label, answer in order.answers.items()}
    found = (by_label[label] for label in labels if by_label.get(label))
    return str(next(found, UNKNOWN))


def _parts(text: str) -> Iterable[str]:
    start = 0
    while (opened := text.find("[", start)) >= 0 and (ended := text.find("]", opened)) >= 0:
        yield text[start:opened]
        yield text[opened : ended + 1]
        start = ended + 1
    yield text[start:]
