"""Buttons that shops put under what the assistant says, and what pressing one stands for.

Messages carry no buttons: they are listed below the text, and pressed by writing what stands on them. Pages
that draw them send the payload.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from core.pictures import is_web_address
from core.shops.reading import Part

BULLET = "• "
PRESSED_LIMIT = 100
"""Characters: what is longer was not written by pressing a button."""

HAND_OVER = "HANDOVER_TO_HUMAN"
CATEGORIES = "SHOW_PRODUCT_CATEGORIES"
PAYMENTS = "SHOW_ALL_PAYMENT_METHODS"
MANAGE_ORDER = "MANAGE_ORDER_FLOW"
MANAGE_BOOKING = "MANAGE_BOOKING_FLOW"
CHECK_ORDER = "CHECK_ORDER_STATUS_FLOW"
CHECK_BOOKING = "CHECK_BOOKING_STATUS_FLOW"
NEW_ORDER = "CREATE_NEW_ORDER_FLOW"
NEW_BOOKING = "CREATE_NEW_BOOKING_FLOW"
COMMANDS = frozenset(
    {HAND_OVER, CATEGORIES, PAYMENTS, MANAGE_ORDER, MANAGE_BOOKING, CHECK_ORDER, CHECK_BOOKING}
)
PRODUCT = "PRODUCT_INFO_ID_"
PAYMENT = "PAYMENT_INFO_ID_"
CATEGORY = "show me "
"""With what follows each of them, the pages' own words for what a button does."""

QUICK_REPLY_PAYLOADS = {"handoverToHuman": HAND_OVER, "showCategories": CATEGORIES}
"""What the pages' built-in quick replies do. Shops may call them otherwise, and word their answers."""

_FLOW_BUTTONS = {
    "order_management_flow_config": {
        "manageOrderButtonText": MANAGE_ORDER,
        "checkOrderStatus": CHECK_ORDER,
        "createNewOrder": NEW_ORDER,
    },
    "booking_flow_config": {
        "manageBookingButtonText": MANAGE_BOOKING,
        "checkBookingStatusButtonText": CHECK_BOOKING,
        "createNewBookingButtonText": NEW_BOOKING,
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """`payload`: what pressing it says. `url`: the page that it opens instead."""

    title: str
    payload: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickReply:
    key: str
    title: str
    reply: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu:
    """Everything of a shop that customers may press."""

    buttons: tuple[Button, ...] = ()
    quick_replies: tuple[QuickReply, ...] = ()

    def pressed(self, text: str) -> Button | None:
        """The button that this stands for, be it what stands on it or its payload."""
        wanted = _folded(text)
        if not 1 <= len(wanted) <= PRESSED_LIMIT:
            return None
        means = (
            button for button in self.buttons if wanted in {_folded(button.title), _folded(button.payload)}
        )
        return next(means, None)

    def quick_reply(self, text: str) -> QuickReply | None:
        """The shop's own wording for what was pressed, by key, title, or the payload of a built-in."""
        wanted = _folded(text)
        for reply in self.quick_replies if wanted else ():
            payload = QUICK_REPLY_PAYLOADS.get(reply.key)
            if wanted in {_folded(reply.key), _folded(reply.title)} or text == payload:
                return reply
        return None


def menu_of(settings: Mapping[str, Any]) -> Menu:
    document = Part(settings)
    buttons = [
        *buttons_of(document.parts("persistent_menu")),
        *buttons_of(document.part("customer_entry_point").parts("welcome_message_actions")),
        *(
            button
            for rule in document.parts("keyword_replies")
            for button in buttons_of(rule.parts("buttons"))
        ),
        *_flow_buttons(document),
    ]
    if title := document.text("payment_button_text"):
        buttons.append(Button(title=title, payload=PAYMENTS))
    replies = document.part("assistant_config").parts("custom_quick_replies")
    return Menu(buttons=tuple(buttons), quick_replies=tuple(_quick_replies(replies)))


def buttons_of(entries: Iterable[Part]) -> tuple[Button, ...]:
    """Those that have a title. Only pages on the web can be opened."""
    found = []
    for entry in entries:
        url, title = entry.text("url"), entry.text("title").strip()
        is_page = entry.text("type") == "web_url"
        if title and not (is_page and not is_web_address(url)):
            found.append(Button(title=title, payload=entry.text("payload"), url=url if is_page else ""))
    return tuple(found)


def listed(text: str, buttons: Iterable[Button]) -> str:
    """The text, and below it what can be pressed."""
    lines = [
        f"{BULLET}{button.title}: {button.url}" if button.url else f"{BULLET}{button.title}"
        for button in buttons
    ]
    return "\n\n".join(filter(None, (text, "\n".join(lines))))


def _flow_buttons(document: Part) -> Iterable[Button]:
    for flow, titles in _FLOW_BUTTONS.items():
        config = document.part(flow)
        if not config.is_on("enabled", unless_said=False):
            continue
        strings = config.part("strings")
        for name, payload in titles.items():
            if title := strings.text(name).strip():
                yield Button(title=title, payload=payload)


def _quick_replies(entries: Iterable[Part]) -> Iterable[QuickReply]:
    for entry in entries:
        if entry.is_on("enabled"):
            yield QuickReply(key=entry.text("key"), title=entry.text("title"), reply=entry.text("reply"))


def _folded(text: str) -> str:
    return text.strip().casefold()
