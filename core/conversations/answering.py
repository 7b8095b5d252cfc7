"""The assistant's turn: at most one answer to each customer message, also after a crash."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.conversations.assistance import Brief, brief_of
from core.conversations.errors import AlreadyPosted, ConversationNotFound
from core.conversations.events import AnswerDue
from core.conversations.messages import Draft, Message, Sender
from core.shops.errors import ShopNotFound
from ports.assistant import Answer, Assistant
from ports.clock import Clock, Ids
from ports.db import Database, Transaction

HISTORY_SHOWN = 30
"""How many earlier messages the assistant gets to see."""

ASSISTANT_NAME = "Assistant"


@dataclass(frozen=True, slots=True)
class Turn:
    """What the assistant is given."""

    brief: Brief
    history: list[Message]
    question: Message


@dataclass(frozen=True, slots=True)
class AnswerCustomer:
    """Subscriber of AnswerDue. Repeating it is harmless: the answer's client id names the question."""

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
        answer = await self.assistant.answer(turn.brief, turn.history, turn.question)
        with suppress(AlreadyPosted):
            await self._say(shop_id, due, answer)
        return None

    async def _turn(self, shop_id: str, due: AnswerDue) -> Turn | None:
        def work(tx: Transaction) -> Turn | None:
            try:
                shop, conversation = tx.shops.get(), tx.conversations.get(due.conversation_id)
            except (ShopNotFound, ConversationNotFound):
                return None
            question = tx.messages.find(conversation.id, due.message_id)
            if question is None or not conversation.is_ai_active:
                return None
            if tx.messages.by_client_id(conversation.id, Sender.ASSISTANT, _answer_id(due)) is not None:
                return None
            history = tx.messages.page(
                conversation.id, before=question.sequence, limit=HISTORY_SHOWN, with_notes=False
            )
            return Turn(brief_of(shop.name, shop.settings), history, question)

        return await self.db.read(work, shop=shop_id)

    async def _say(self, shop_id: str, due: AnswerDue, answer: Answer) -> None:
        draft = Draft(text=answer.text, client_id=_answer_id(due))

        def work(tx: Transaction) -> None:
            try:
                conversation = tx.conversations.get(due.conversation_id, lock=True)
            except ConversationNotFound:
                return
            if not conversation.is_ai_active or tx.messages.find(conversation.id, due.message_id) is None:
                return
            now = self.clock.now()
            tx.messages.add(
                conversation.post(
                    draft,
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


def _answer_id(due: AnswerDue) -> str:
    return f"answer:{due.message_id}"
