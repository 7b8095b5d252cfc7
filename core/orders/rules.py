"""How a shop wants orders to be taken in its chats, out of the settings that its owner keeps."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from core.orders.model import OrderStatus
from core.shops.payment_methods import PaymentMethod, enabled_methods
from core.shops.reading import Part

LONGEST_WAIT = timedelta(days=30)
STATUS_TEXT = "status_"
"""Begins the name of a text that is for one status alone, as `status_confirmed`."""

_ON_PROOF = {"confirmed": OrderStatus.CONFIRMED, "pending": OrderStatus.PENDING}


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Whether the assistant takes such orders, and the shop's words for it by name."""

    is_on: bool
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofRules:
    """What the shop makes of pictures that show a payment. In `confirmation`, `{{orderId}}` is the number."""

    is_on: bool
    awaited_for: timedelta
    status: OrderStatus
    confirmation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRules:
    orders: Flow
    bookings: Flow
    proof: ProofRules
    payment_methods: tuple[PaymentMethod, ...]

    @property
    def sells(self) -> bool:
        return self.orders.is_on or self.bookings.is_on

    def status_text(self, status: OrderStatus, *, is_booking: bool) -> str | None:
        """What customers are told when their order comes to this status: the shop's own text for it, else its
        summary of an order; nothing unless it takes such orders in its chats."""
        flow = self.bookings if is_booking else self.orders
        if not flow.is_on:
            return None
        summary = "bookingStatusSummary" if is_booking else "orderStatusSummary"
        return flow.texts.get(f"{STATUS_TEXT}{status.value}") or flow.texts.get(summary)


def chat_rules(settings: Mapping[str, Any]) -> ChatRules:
    """What can't be read counts as not said."""
    document = Part(settings)
    return ChatRules(
        orders=_flow(document.part("order_management_flow_config")),
        bookings=_flow(document.part("booking_flow_config")),
        proof=_proof(document.part("payment_intelligence_config")),
        payment_methods=tuple(enabled_methods(settings)),
    )


def _flow(config: Part) -> Flow:
    return Flow(is_on=config.is_on("enabled", unless_said=False), texts=config.part("strings").texts())


def _proof(config: Part) -> ProofRules:
    minutes = config.number("time_window_minutes")
    return ProofRules(
        is_on=config.is_on("enabled", unless_said=False),
        awaited_for=min(LONGEST_WAIT, timedelta(minutes=max(0.0, min(minutes, 10**6)))),
        status=_ON_PROOF.get(config.text("status_on_proof").casefold(), OrderStatus.PENDING),
        confirmation=config.text("confirmation_message").strip(),
    )
