"""What a customer wants to order or book, as somebody has understood it from a chat, and what came of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class WishedProduct:
    """By the name that was said, which need not be the catalogue's."""

    name: str
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderWish:
    customer_name: str
    phone_number: str
    shipping_address: str
    products: tuple[WishedProduct, ...]
    payment_method: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingWish:
    """Date and time are free texts: the shop's people read them."""

    customer_name: str
    phone_number: str
    service_name: str
    appointment_date: str
    appointment_time: str


Wish = OrderWish | BookingWish


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """`order_id`: the number that customers know an order by. `error`: why there is none, so that it can be
    put right."""

    is_booking: bool
    order_id: str | None = None
    error: str | None = None

    @property
    def success(self) -> bool:
        return self.order_id is not None
