"""The assistant's turn: at most one answer to each customer message, also after a crash."""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.conversations.assistance import Brief, brief_of
from core.conversations.buttons import menu_of
from core.conversations.commands import Desk, listed_lately
from core.conversations.errors import AlreadyPosted, ConversationNotFound
from core.conversations.events import AnswerDue
from core.conversations.messages import ASSISTANT_NAME, Draft, Message, Sender
from core.conversations.model import Conversation
from core.conversations.speeches import placed_text
from core.orders.conversational import ChatTill, Occasion, placed_before
from core.orders.recap import amount
from core.orders.rules import ChatRules, chat_rules
from core.orders.wishes import Placed
from core.shops.errors import ShopNotFound
from core.shops.model import Shop
from ports.assistant import Answer, Assistant
from ports.clock import Clock, Ids
from ports.db import Database, Transaction

HISTORY_SHOWN = 30
"""How many earlier messages the assistant gets to see."""

OFFERS_SHOWN = 200
"""How many of the shop's products and services: a bigger catalogue is asked about by name."""

LISTED_IN = 6
"""How many messages back what was listed there may be pressed."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What the assistant is given. `command`: the answer to a button, which needs no thought.

    `placed`: orders of this very question, whose first treatment did not come to its end.
    """

    brief: Brief
    history: list[Message]
    question: Message
    command: Answer | None
    rules: ChatRules
    offers: list[str]
    placed: list[Placed]


@dataclass(frozen=True, slots=True)
class AnswerCustomer:
    """Subscriber of AnswerDue. Repeating it is harmless: the answer's client id names the question.

    First come the shop's buttons, also where a person has taken over; then, unless one has, its keyword
    replies and the model.
    """

    db: Database
    assistant: Assistant
    clock: Clock
    ids: Ids

    async def __call__(self, shop_id: str, due: AnswerDue) -> datetime | None:
        """Returns when to come back, if the shop wants its assistant to take its time."""
        turn = await self._turn(shop_id, due)
        if turn is None:
            return None
        not_before = turn.question.created_at + timedelta(seconds=turn.brief.delay_seconds)
        if self.clock.now() < not_before:
            return not_before
        answer = turn.command or await self._thought(shop_id, due, turn)
        with suppress(AlreadyPosted):
            await self._say(shop_id, due, answer, turn)
        return None

    async def _thought(self, shop_id: str, due: AnswerDue, turn: Turn) -> Answer:
        if turn.placed:
            return Answer(text=placed_text(turn.brief.language, turn.placed))
        occasion = Occasion(shop_id, due.conversation_id, due.message_id)
        till = ChatTill(self.db, self.clock, occasion, turn.rules, turn.offers) if turn.rules.sells else None
        return await self.assistant.answer(turn.brief, turn.history, turn.question, till)

    async def _turn(self, shop_id: str, due: AnswerDue) -> Turn | None:
        def work(tx: Transaction) -> Turn | None:
            try:
                shop, conversation = tx.shops.get(), tx.conversations.get(due.conversation_id)
            except (ShopNotFound, ConversationNotFound):
                return None
            question = tx.messages.find(conversation.id, due.message_id)
            if question is None:
                return None
            if tx.messages.by_client_id(conversation.id, Sender.ASSISTANT, _answer_id(due)) is not None:
                return None
            return _turn(tx, shop, conversation, question, Occasion(shop_id, conversation.id, question.id))

        return await self.db.read(work, shop=shop_id)

    async def _say(self, shop_id: str, due: AnswerDue, thought: Answer, turn: Turn) -> None:
        def work(tx: Transaction) -> None:
            try:
                conversation = tx.conversations.get(due.conversation_id, lock=True)
            except ConversationNotFound:
                return
            answer: Answer | None = thought
            if not conversation.is_ai_active and turn.command is None:
                answer = _placed_meanwhile(tx, Occasion(shop_id, due.conversation_id, due.message_id), turn)
            if answer is None or tx.messages.find(conversation.id, due.message_id) is None:
                return
            now = self.clock.now()
            tx.messages.add(
                conversation.post(
                    Draft(text=answer.text, attachments=answer.attachments, client_id=_answer_id(due)),
                    id=self.ids.new(),
                    sender=Sender.ASSISTANT,
                    sender_id=None,
                    sender_name=ASSISTANT_NAME,
                    now=now,
                )
            )
            if answer.hand_over:
                conversation.hand_over(now)
            tx.conversations.save(conversation)

        await self.db.transact(work, shop=shop_id)


def _turn(
    tx: Transaction, shop: Shop, conversation: Conversation, question: Message, occasion: Occasion
) -> Turn | None:
    """None where a person has taken over, and no button was pressed."""
    brief, menu = brief_of(shop.name, shop.settings), menu_of(shop.settings)
    rules = chat_rules(shop.settings)
    history = tx.messages.page(
        conversation.id, before=question.sequence, limit=HISTORY_SHOWN, with_notes=False
    )
    desk = Desk(tx, shop, conversation, brief, menu, rules, listed_lately(history[-LISTED_IN:]))
    command = desk.command(question.text)
    if command is None and not conversation.is_ai_active:
        return None
    button = menu.pressed(question.text)
    if button is not None and button.payload:
        question = replace(question, text=button.payload)
    offers = _offers(tx, shop) if command is None and rules.sells else []
    placed = placed_before(tx, occasion) if command is None and rules.sells else []
    return Turn(brief, history, question, command, rules, offers, placed)


def _placed_meanwhile(tx: Transaction, occasion: Occasion, turn: Turn) -> Answer | None:
    """All that is left to say where a person took over during the thought: the customer's order stands."""
    placed = placed_before(tx, occasion) if turn.rules.sells else []
    return Answer(text=placed_text(turn.brief.language, placed)) if placed else None


def _offers(tx: Transaction, shop: Shop) -> list[str]:
    offers = [offer for offer in tx.products.offers() if offer.is_to_be_had]
    return [
        f"{offer.name} ({offer.kind.value}): {amount(offer.price_minor, shop.currency)}"
        for offer in offers[:OFFERS_SHOWN]
    ]


def _answer_id(due: AnswerDue) -> str:
    return f"answer:{due.message_id}"
