"""What the shop's own buttons do. Pressing one is answered even where a person has taken over."""

from collections.abc import Iterable
from dataclasses import dataclass

from core.catalogue.errors import ProductNotFound
from core.conversations import buttons
from core.conversations.assistance import Brief
from core.conversations.buttons import Button, Menu, buttons_of, listed
from core.conversations.messages import Attachment, AttachmentKind, Message, Sender, fit
from core.conversations.model import Conversation
from core.conversations.speeches import hand_over_text
from core.kernel import Invalid
from core.orders import numbers
from core.orders.errors import OrderNotFound
from core.orders.recap import amount, is_booking, recap
from core.orders.rules import ChatRules, Flow
from core.shops.model import Shop
from core.shops.reading import Part
from ports.assistant import Answer
from ports.db import Transaction

OFFERS_LISTED = 10

_ORDER_CHOICES = ("checkOrderStatus", "updateExistingOrder", "cancelExistingOrder")
_BOOKING_CHOICES = (
    "checkBookingStatusButtonText",
    "updateExistingBookingButtonText",
    "cancelExistingBookingButtonText",
)
_WITH_ID = (buttons.PRODUCT, buttons.PAYMENT)


@dataclass(frozen=True, slots=True)
class Desk:
    """All that a command may look at."""

    tx: Transaction
    shop: Shop
    conversation: Conversation
    brief: Brief
    menu: Menu
    rules: ChatRules
    listed: frozenset[str] = frozenset()
    """What stood on the buttons below what the assistant said lately, folded."""

    def command(self, text: str) -> Answer | None:
        """The answer to what was pressed, or None: then it is a question like any other."""
        answer = self._pressed(text)
        if answer is None:
            return None
        text = fit(answer.text)
        if not text and not answer.attachments:
            return None
        return Answer(text=text, hand_over=answer.hand_over, attachments=answer.attachments)

    def _pressed(self, text: str) -> Answer | None:
        button = self.menu.pressed(text)
        if button is not None and button.url:
            return Answer(text=f"{button.title}: {button.url}")
        payload = (button.payload if button else text).strip()
        if not 1 <= len(payload) <= buttons.PRESSED_LIMIT:
            return None
        return self._ran(payload) or self._worded(payload) or self._worded(text)

    def _worded(self, text: str) -> Answer | None:
        """A quick reply that the shop has worded, unless it stands for a command."""
        reply = self.menu.quick_reply(text)
        return Answer(text=reply.reply) if reply and reply.reply else None

    def _ran(self, payload: str) -> Answer | None:
        own = self.menu.quick_reply(payload)
        command = buttons.QUICK_REPLY_PAYLOADS.get(own.key, payload) if own else payload
        if command in buttons.COMMANDS:
            return self._known(command, own.reply if own else "")
        if command.startswith(_WITH_ID):
            return self._product(command) or self._payment(command)
        if command.casefold().startswith(buttons.CATEGORY):
            return self._category(command[len(buttons.CATEGORY) :])
        if numbers.looks_like_one(command):
            return self._order(command.upper())
        if command.casefold() in self.listed:
            return self._payment_method(command) or self._category(command)
        return None

    def _known(self, command: str, intro: str) -> Answer | None:
        match command:
            case buttons.HAND_OVER:
                return Answer(text=intro or hand_over_text(self.brief.language), hand_over=True)
            case buttons.CATEGORIES:
                return _list(intro, self._categories())
            case buttons.PAYMENTS:
                intro = Part(self.shop.settings).text("payment_intro_message")
                return _list(intro, [method.name for method in self.rules.payment_methods])
            case buttons.CHECK_ORDER:
                return _said(self.rules.orders, "askForOrderId")
            case buttons.CHECK_BOOKING:
                return _said(self.rules.bookings, "askForBookingId")
            case buttons.MANAGE_ORDER:
                return _choices(self.rules.orders, "manageOrderTriagePrompt", _ORDER_CHOICES)
        return _choices(self.rules.bookings, "manageBookingTriagePrompt", _BOOKING_CHOICES)

    def _product(self, command: str) -> Answer | None:
        if not command.startswith(buttons.PRODUCT):
            return None
        try:
            product = self.tx.products.get(command[len(buttons.PRODUCT) :])
        except ProductNotFound:
            return None
        shown = buttons_of(Part({"buttons": list(product.buttons)}).parts("buttons"))
        text = listed(product.description or product.name, shown)
        return Answer(text=text, attachments=_pictures(product.image_url))

    def _payment(self, command: str) -> Answer | None:
        is_one = command.startswith(buttons.PAYMENT)
        return self._payment_method(command[len(buttons.PAYMENT) :]) if is_one else None

    def _payment_method(self, wanted: str) -> Answer | None:
        """By its id, or by what stands on its button."""
        for method in self.rules.payment_methods:
            if method.id == wanted or method.name.casefold() == wanted.casefold():
                text = "\n".join(filter(None, (method.name, method.instructions)))
                return Answer(text=text, attachments=_pictures(method.qr_code_url))
        return None

    def _categories(self) -> list[str]:
        named = (offer.category for offer in self.tx.products.offers() if offer.category)
        return list(dict.fromkeys(named))

    def _category(self, name: str) -> Answer | None:
        wanted, currency = name.strip().casefold(), self.shop.currency
        meant = [
            f"{offer.name}, {amount(offer.price_minor, currency)}"
            for offer in self.tx.products.offers()
            if wanted and (offer.category or "").strip().casefold() == wanted
        ]
        return _list("", meant[:OFFERS_LISTED])

    def _order(self, number: str) -> Answer | None:
        """Only one that was placed in this chat: numbers are easily guessed."""
        try:
            order = self.tx.orders.by_reference(number)
        except OrderNotFound:
            return None
        if order.conversation_id != self.conversation.id:
            return None
        text = self.rules.status_text(order.status, is_booking=is_booking(order))
        return Answer(text=recap(order, text)) if text else None


def may_be_pressed(menu: Menu, text: str) -> bool:
    """Whether it is worth a look at what the text might press; wrong answers cost no more than that look."""
    text = text.strip()
    if not 1 <= len(text) <= buttons.PRESSED_LIMIT:
        return False
    is_command = text in buttons.COMMANDS or text.startswith(_WITH_ID)
    is_command = is_command or text.casefold().startswith(buttons.CATEGORY) or numbers.looks_like_one(text)
    return is_command or menu.pressed(text) is not None or menu.quick_reply(text) is not None


def listed_lately(messages: Iterable[Message]) -> frozenset[str]:
    """The `listed` of a desk."""
    lines = (
        line.removeprefix(buttons.BULLET).casefold()
        for message in messages
        if message.sender is Sender.ASSISTANT
        for line in message.text.splitlines()
        if line.startswith(buttons.BULLET)
    )
    return frozenset(lines)


def _said(flow: Flow, name: str) -> Answer | None:
    text = flow.texts.get(name) if flow.is_on else None
    return Answer(text=text) if text else None


def _choices(flow: Flow, prompt: str, choices: Iterable[str]) -> Answer | None:
    asked = _said(flow, prompt)
    return _list(asked.text, [flow.texts[name] for name in choices if name in flow.texts]) if asked else None


def _list(intro: str, entries: Iterable[str]) -> Answer | None:
    shown = [Button(title=entry) for entry in entries]
    return Answer(text=listed(intro, shown)) if shown or intro else None


def _pictures(url: str | None) -> tuple[Attachment, ...]:
    """None for an address that can't be shown: rows live longer than rules."""
    try:
        return (Attachment(kind=AttachmentKind.IMAGE, url=url),) if url else ()
    except Invalid:
        return ()
