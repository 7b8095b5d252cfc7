"""The assistant's turn: at most one answer per message, in order, and silent once a person takes over."""

import asyncio
from datetime import timedelta

import pytest

from adapters.providers.rules import RulesAssistant
from adapters.providers.system import RandomIds
from bootstrap.relay import Relay
from bootstrap.settings import Settings
from core.conversations.answering import AnswerCustomer
from core.conversations.events import AnswerDue
from core.conversations.inbox import ChangeConversation, PostFromInbox, ReadConversation
from core.conversations.messages import Draft, Sender
from core.conversations.model import Status
from ports.assistant import Answer
from ports.db import SYSTEM
from tests.builders import a_message, a_shop

LEASE = timedelta(seconds=60)
ids = RandomIds()


class Echo:
    """Repeats the question, and hands over when told to."""

    def __init__(self):
        self.asked, self.before_answer = [], None

    async def answer(self, brief, history, question, till=None):
        self.asked.append((brief, [message.text for message in history], question.text))
        if self.before_answer:
            await self.before_answer()
        return Answer(text=f"You said: {question.text}", hand_over="person" in question.text)


@pytest.fixture
def echo():
    return Echo()


@pytest.fixture
def answer(db, clock, echo):
    return AnswerCustomer(db, echo, clock, ids)


@pytest.fixture
def relay(db, clock, answer):
    return Relay(db, {"assistant.answer": answer}, clock, LEASE)


async def thread(db, stage, message):
    view = await ReadConversation(db)(
        actor=stage.owner, shop_id=stage.shop.id, conversation_id=message.conversation_id
    )
    return view.conversation, [(entry.sender, entry.text) for entry in view.messages]


async def post_as(db, clock, stage, message, sender, text, is_note=False):
    await PostFromInbox(db, clock, ids)(
        actor=stage.owner,
        shop_id=stage.shop.id,
        conversation_id=message.conversation_id,
        sender=sender,
        draft=Draft(text=text, is_note=is_note),
    )


async def test_each_message_gets_one_answer_in_order(db, clock, relay, echo):
    stage = await a_shop(db, clock)
    first = await a_message(db, clock, stage.visitor, "one")
    await a_message(db, clock, stage.visitor, "two")
    await relay.run_due()
    _, said = await thread(db, stage, first)
    assert said == [
        (Sender.CUSTOMER, "one"),
        (Sender.CUSTOMER, "two"),
        (Sender.ASSISTANT, "You said: one"),
        (Sender.ASSISTANT, "You said: two"),
    ]
    assert [(history, question) for _, history, question in echo.asked] == [
        ([], "one"),
        (["one"], "two"),
    ]


async def test_a_rule_that_cannot_be_read_leaves_no_customer_unanswered(db, clock):
    rule = {"keywords": "one", "reply": "Good day", "match_type": "no such thing"}
    stage = await a_shop(db, clock, keyword_replies=[rule], assistant_config={"response_delay": "soon"})
    message = await a_message(db, clock, stage.visitor, "one")
    answer = AnswerCustomer(db, RulesAssistant(), clock, ids)
    await Relay(db, {"assistant.answer": answer}, clock, LEASE).run_due()
    _, said = await thread(db, stage, message)
    assert [sender for sender, _ in said] == [Sender.CUSTOMER, Sender.ASSISTANT]


async def test_two_quick_messages_are_never_answered_at_the_same_time(db, clock, answer, echo):
    stage = await a_shop(db, clock)
    at_work, most = 0, 0

    async def busy():
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        await asyncio.sleep(0)
        at_work -= 1

    echo.before_answer = busy
    relay = Relay(db, {"assistant.answer": answer}, clock, LEASE)
    relay.start()
    messages = [await a_message(db, clock, stage.visitor, str(n)) for n in range(6)]
    async with asyncio.timeout(20):
        while await db.read(lambda tx: tx.deliveries.count(), shop=SYSTEM):
            continue
    await relay.stop(5)
    _, said = await thread(db, stage, messages[0])
    answers = [text for sender, text in said if sender is Sender.ASSISTANT]
    assert answers == [f"You said: {n}" for n in range(6)]
    assert most == 1


async def test_a_repeated_delivery_does_not_answer_twice(db, clock, answer):
    stage = await a_shop(db, clock)
    message = await a_message(db, clock, stage.visitor)
    due = AnswerDue(conversation_id=message.conversation_id, message_id=message.id)
    await asyncio.gather(*[answer(stage.shop.id, due) for _ in range(5)])
    await answer(stage.shop.id, due)
    _, said = await thread(db, stage, message)
    assert [sender for sender, _ in said] == [Sender.CUSTOMER, Sender.ASSISTANT]


async def test_an_agents_message_silences_the_assistant(db, clock, relay):
    stage = await a_shop(db, clock)
    message = await a_message(db, clock, stage.visitor)
    await post_as(db, clock, stage, message, Sender.AGENT, "I am here")
    await relay.run_due()
    conversation, said = await thread(db, stage, message)
    assert not conversation.is_ai_active
    assert [sender for sender, _ in said] == [Sender.CUSTOMER, Sender.AGENT]
    assert await db.read(lambda tx: tx.deliveries.list(), shop=SYSTEM) == []


async def test_an_agent_who_is_quicker_than_the_model_wins(db, clock, relay, echo):
    stage = await a_shop(db, clock)
    message = await a_message(db, clock, stage.visitor)

    async def agent_answers():
        await post_as(db, clock, stage, message, Sender.AGENT, "I was first")

    echo.before_answer = agent_answers
    await relay.run_due()
    _, said = await thread(db, stage, message)
    assert [text for _, text in said] == ["Hello", "I was first"]


async def test_a_note_leaves_the_assistant_on_and_out_of_its_sight(db, clock, relay, echo):
    stage = await a_shop(db, clock)
    message = await a_message(db, clock, stage.visitor)
    await post_as(db, clock, stage, message, Sender.AGENT, "VIP, be nice", is_note=True)
    await a_message(db, clock, stage.visitor, "again")
    await relay.run_due()
    assert [question for _, _, question in echo.asked] == ["Hello", "again"]
    assert all("VIP, be nice" not in history for _, history, _ in echo.asked)


async def test_a_hand_over_stops_it_and_calls_for_a_person(db, clock, relay, echo):
    stage = await a_shop(db, clock)
    message = await a_message(db, clock, stage.visitor, "a person please")
    await relay.run_due()
    conversation, said = await thread(db, stage, message)
    assert (conversation.is_ai_active, conversation.is_read) == (False, False)
    assert said[-1] == (Sender.ASSISTANT, "You said: a person please")
    told = await db.read(lambda tx: tx.stream.after(0, 100), shop=stage.shop.id)
    titles = [entry.event.title for entry in told if entry.event.topic == "agents.notified"]
    assert titles == ["New conversation", "A customer asks for a person"]
    await a_message(db, clock, stage.visitor, "hello?")
    await relay.run_due()
    assert len(echo.asked) == 1


async def test_switched_on_again_it_answers_what_comes_then(db, clock, relay, echo):
    stage = await a_shop(db, clock)
    message = await a_message(db, clock, stage.visitor)
    change = ChangeConversation(db, clock)
    where = {"actor": stage.owner, "shop_id": stage.shop.id, "conversation_id": message.conversation_id}
    await change(**where, changes={"is_ai_active": False})
    await relay.run_due()
    await change(**where, changes={"is_ai_active": True, "status": Status.PENDING})
    await a_message(db, clock, stage.visitor, "now")
    await relay.run_due()
    assert [question for _, _, question in echo.asked] == ["now"]


async def test_it_takes_its_time_when_the_shop_wants_that(db, clock, relay, echo):
    stage = await a_shop(db, clock, assistant_config={"response_delay": 5})
    await a_message(db, clock, stage.visitor)
    await relay.run_due()
    assert echo.asked == []
    clock.advance(timedelta(seconds=5))
    await relay.run_due()
    assert len(echo.asked) == 1


async def test_a_conversation_deleted_meanwhile_ends_the_matter(db, clock, relay):
    stage = await a_shop(db, clock)
    message = await a_message(db, clock, stage.visitor)

    def delete(tx):
        tx.conversations.delete(tx.conversations.get(message.conversation_id))

    await db.transact(delete, shop=stage.shop.id)
    await relay.run_due()
    assert await db.read(lambda tx: tx.deliveries.list(), shop=SYSTEM) == []


async def test_a_crash_between_answer_and_settlement_repeats_nothing(db, clock, echo, answer):
    stage = await a_shop(db, clock)
    message = await a_message(db, clock, stage.visitor)
    now = clock.now()
    claimed = await db.transact(
        lambda tx: tx.deliveries.claim(now=now, until=now + LEASE, limit=9), shop=SYSTEM
    )
    await answer(stage.shop.id, claimed[0].event)
    clock.advance(LEASE)
    assert await Relay(db, {"assistant.answer": answer}, clock, LEASE).run_due() == 1
    _, said = await thread(db, stage, message)
    assert [sender for sender, _ in said] == [Sender.CUSTOMER, Sender.ASSISTANT]
    assert len(echo.asked) == 1


async def test_a_question_deleted_meanwhile_is_not_answered(db, clock, relay, echo):
    stage = await a_shop(db, clock)
    message = await a_message(db, clock, stage.visitor)

    async def delete():
        await db.transact(
            lambda tx: tx.messages.delete(message.conversation_id, message.id), shop=stage.shop.id
        )

    echo.before_answer = delete
    await relay.run_due()
    _, said = await thread(db, stage, message)
    assert said == []


def test_a_handler_has_time_for_a_model_that_hangs():
    settings = Settings(assistant="openai", openai_api_key="x" * 20, openai_timeout=60, openai_max_retries=5)
    assert settings.handler_lease.total_seconds() * 0.8 > 60 * 6
    assert Settings(assistant="rules").handler_lease == Settings().lease
