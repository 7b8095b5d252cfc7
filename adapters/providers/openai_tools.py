"""The functions that a model is offered, and what it makes of them: each argument is checked."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from core.orders.wishes import BookingWish, OrderWish, Placed, Wish, WishedProduct
from ports.assistant import Till

HAND_OVER = "hand_over_to_person"
PLACE_ORDER = "place_order"
BOOK_SERVICE = "book_service"

Text = Annotated[str, Meta(max_length=2_000)]


class _Strict(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    pass


class _Product(_Strict):
    product_name: Text
    quantity: Annotated[int, Meta(ge=1, le=1_000_000)]


class _Order(_Strict):
    customer_name: Text
    phone_number: Text
    shipping_address: Text
    products: Annotated[list[_Product], Meta(min_length=1, max_length=100)]
    payment_method: Text | None = None

    def wish(self) -> Wish:
        return OrderWish(
            customer_name=self.customer_name,
            phone_number=self.phone_number,
            shipping_address=self.shipping_address,
            products=tuple(
                WishedProduct(name=one.product_name, quantity=one.quantity) for one in self.products
            ),
            payment_method=self.payment_method,
        )


class _Booking(_Strict):
    customer_name: Text
    phone_number: Text
    service_name: Text
    appointment_date: Text
    appointment_time: Text

    def wish(self) -> Wish:
        return BookingWish(
            customer_name=self.customer_name,
            phone_number=self.phone_number,
            service_name=self.service_name,
            appointment_date=self.appointment_date,
            appointment_time=self.appointment_time,
        )


_DECODERS: Mapping[str, msgspec.json.Decoder[_Order | _Booking]] = {
    PLACE_ORDER: msgspec.json.Decoder(_Order),
    BOOK_SERVICE: msgspec.json.Decoder(_Booking),
}


def tools(till: Till | None) -> list[dict[str, Any]]:
    """Those that this question may use, in the strict form: every property is required."""
    offered = [_function(HAND_OVER, "Let a person of the shop's team take over the conversation.", _REASON)]
    if till is not None and till.takes_orders:
        offered.append(_function(PLACE_ORDER, _ORDER_IS, _order_properties(till)))
    if till is not None and till.takes_bookings:
        offered.append(_function(BOOK_SERVICE, _BOOKING_IS, _BOOKING))
    return offered


def wish_of(function: str, arguments: str) -> Wish:
    """Raises MsgspecError or RecursionError for what is no such order."""
    return _DECODERS[function].decode(arguments).wish()


def result(placed: Placed) -> str:
    """What a model is told of what it asked for."""
    content: dict[str, Any] = {"success": placed.success}
    if placed.order_id is not None:
        content["orderId"] = placed.order_id
    if placed.error is not None:
        content["error"] = placed.error
    return msgspec.json.encode(content).decode()


def _function(name: str, description: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    function = {"name": name, "description": description, "strict": True, "parameters": _object(properties)}
    return {"type": "function", "function": function}


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _text(description: str) -> dict[str, Any]:
    return {"type": "string", "description": description}


def _order_properties(till: Till) -> dict[str, Any]:
    methods = list(till.payment_methods)
    payment: dict[str, Any] = {"type": ["string", "null"], "description": "None are to choose from: null."}
    if methods:
        payment = {"type": "string", "enum": methods, "description": "The one that the customer chose."}
    return {**_ORDER, "paymentMethod": payment}


_REASON = {"reason": _text("Why, in a few words.")}
_PERSON = {
    "customerName": _text("The customer's full name, as they said it."),
    "phoneNumber": _text("The customer's telephone number, as they said it."),
}
_ORDER_IS = (
    "Place the customer's order. Only after the customer has given every detail and confirmed your summary."
)
_ORDER = {
    **_PERSON,
    "shippingAddress": _text("Where to send it: street, number, town, and whatever else was said."),
    "products": {
        "type": "array",
        "items": _object(
            {
                "productName": _text("As the shop calls it."),
                "quantity": {"type": "integer", "description": "How many of it."},
            }
        ),
    },
}
_BOOKING_IS = (
    "Book a service. Only after the customer has given every detail and confirmed your summary of them."
)
_BOOKING = {
    **_PERSON,
    "serviceName": _text("As the shop calls it."),
    "appointmentDate": _text("The day, as agreed with the customer."),
    "appointmentTime": _text("The time of day, as agreed with the customer."),
}
