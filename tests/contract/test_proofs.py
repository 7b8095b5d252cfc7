"""Pictures that prove a payment, whichever way they come in, and what customers hear of their orders."""

from dataclasses import replace
from datetime import timedelta

import pytest

from core.conversations.events import AnswerDue
from core.conversations.inbox import ChangeConversation, PostFromInbox
from core.conversations.messages import Attachment, AttachmentKind, Draft, Sender
from core.conversations.visitor import PostCustomerMessage
from core.orders.conversational import Occasion, PlaceFromChat
from core.orders.events import OrderChanged
from core.orders.fulfilment import change_order
from core.orders.model import OrderStatus
from core.orders.telling import TellCustomer
from ports.db import SYSTEM
from tests.builders import a_message, a_product, a_shop, ids
from tests.contract.test_conversational_orders import ORDER, SELLING

PICTURE = Attachment(kind=AttachmentKind.IMAGE, url="data:image/png;base64,iVBORw0KGgo=")
RULES = {"enabled": True, "time_window_minutes": 15, "status_on_proof": "Confirmed"}
THANKS = "We have got the proof for {{orderId}}."


@pytest.fixture
def subscriptions():
    return {AnswerDue: ["assistant.answer"], OrderChanged: ["order.tell_customer"]}


class Paying:
    """A customer who has ordered in a chat, and is asked for a picture of the payment."""

    def __init__(self, db, clock, stage, message, order):
        self.db, self.clock, self.stage, self.message, self.order = db, clock, stage, message, order
        self.conversation_id = message.conversation_id

    async def sends(self, *attachments, text=""):
        """Through the chat on the shop's pages."""
        draft = Draft(text=text, attachments=attachments or (PICTURE,))
        return (
            await PostCustomerMessage(self.db, self.clock, ids)(visitor=self.stage.visitor, draft=draft)
        ).message

    async def is_entered(self, sender=Sender.CUSTOMER, **draft):
        """By the shop's people, as it came by another way."""
        await PostFromInbox(self.db, self.clock, ids)(
            actor=self.stage.owner,
            shop_id=self.stage.shop.id,
            conversation_id=self.conversation_id,
            sender=sender,
            draft=Draft(**{"text": "", "attachments": (PICTURE,), **draft}),
        )

    async def changes(self, **changes):
        await ChangeConversation(self.db, self.clock)(
            actor=self.stage.owner,
            shop_id=self.stage.shop.id,
            conversation_id=self.conversation_id,
            changes=changes,
        )

    async def becomes(self, status):
        def work(tx):
            order = tx.orders.get(self.order.id, lock=True)
            change_order(tx, order, {"status": status}, self.clock.now())

        await self.db.transact(work, shop=self.stage.shop.id)

    async def state(self):
        """The conversation, the order, and what was said after the first message."""

        def work(tx):
            conversation = tx.conversations.get(self.conversation_id)
            messages = tx.messages.page(conversation.id, limit=50)
            return conversation, tx.orders.get(self.order.id), messages[1:]

        return await self.db.read(work, shop=self.stage.shop.id)

    async def due(self, topic):
        found = await self.db.read(lambda tx: tx.deliveries.list(), shop=SYSTEM)
        return [entry.event for entry in found if entry.topic == topic]


@pytest.fixture
def paying(db, clock):
    async def begin(rules=RULES, **settings):
        settings = {**SELLING, "payment_intelligence_config": rules, **settings}
        stage = await a_shop(db, clock, **settings)
        await a_product(db, clock, stage.shop)
        message = await a_message(db, clock, stage.visitor, "Two, please")
        occasion = Occasion(stage.shop.id, message.conversation_id, message.id)
        order = await PlaceFromChat(db, clock)(occasion=occasion, wish=ORDER)
        return Paying(db, clock, stage, message, order)

    return begin


def waits(conversation):
    return conversation.awaiting_proof_for_order_id, conversation.awaiting_proof_until


@pytest.mark.parametrize("way", ["sends", "is_entered"])
async def test_a_picture_in_time_proves_the_payment(paying, way):
    begun = await paying({**RULES, "confirmation_message": THANKS})
    await begun.changes(tags=("VIP", f"Order ID: {begun.order.number}", "Order ID: OLD-0001"))
    begun.clock.advance(timedelta(minutes=14))
    await getattr(begun, way)()
    conversation, order, said = await begun.state()
    assert (order.payment_proof, order.status) == (PICTURE.url, OrderStatus.CONFIRMED)
    assert (waits(conversation), conversation.tags) == ((None, None), ("VIP", "Payment-Submitted"))
    assert [(message.sender, message.text) for message in said] == [
        (Sender.CUSTOMER, ""),
        (Sender.ASSISTANT, f"We have got the proof for {order.number}."),
    ]
    assert [message.sequence for message in said] == [2, 3]
    assert conversation.last_sequence == 3
    notices = [
        entry.event
        for entry in await begun.db.read(lambda tx: tx.stream.after(0, 99), shop=begun.stage.shop.id)
        if entry.event.topic == "agents.notified"
    ]
    assert (notices[-1].title, notices[-1].order_id) == ("Proof of payment", order.id)


async def test_a_mere_proof_is_answered_by_its_confirmation_alone(paying):
    begun = await paying()
    questions = len(await begun.due(AnswerDue.topic))
    await begun.sends()
    assert len(await begun.due(AnswerDue.topic)) == questions
    _, order, said = await begun.state()
    assert order.payment_proof == PICTURE.url
    assert [message.sender for message in said] == [Sender.CUSTOMER], "the shop has no words for it"


async def test_a_question_with_it_is_answered_as_well(paying):
    begun = await paying()
    message = await begun.sends(text="And when does it come?")
    assert (await begun.due(AnswerDue.topic))[-1].message_id == message.id


async def test_the_next_picture_is_a_picture_like_any_other(paying):
    begun = await paying()
    await begun.sends()
    second = replace(PICTURE, name="a cat")
    message = await begun.sends(second)
    _, order, _ = await begun.state()
    assert (order.payment_proof, order.version) == (PICTURE.url, 1)
    assert (await begun.due(AnswerDue.topic))[-1].message_id == message.id


async def test_pending_may_be_what_the_shop_wants_it_to_stay(paying):
    begun = await paying({**RULES, "status_on_proof": "Pending"})
    await begun.sends()
    _, order, _ = await begun.state()
    assert (order.payment_proof, order.status) == (PICTURE.url, OrderStatus.PENDING)


async def test_a_picture_that_comes_too_late_ends_the_waiting_and_no_more(paying):
    begun = await paying({**RULES, "confirmation_message": THANKS})
    begun.clock.advance(timedelta(minutes=15))
    await begun.sends()
    conversation, order, said = await begun.state()
    assert (waits(conversation), order.payment_proof, order.status) == (
        (None, None),
        None,
        OrderStatus.PENDING,
    )
    assert conversation.tags == (f"Order ID: {order.number}",)
    assert len(said) == 1


@pytest.mark.parametrize("status", [OrderStatus.CONFIRMED, OrderStatus.CANCELLED])
async def test_an_order_that_is_pending_no_longer_needs_no_proof(paying, status):
    begun = await paying()
    await begun.becomes(status)
    await begun.sends()
    conversation, order, _ = await begun.state()
    assert (waits(conversation), order.payment_proof, order.status) == ((None, None), None, status)
    assert conversation.tags == (f"Order ID: {order.number}",)


async def test_an_order_that_is_gone_needs_none_either(paying):
    begun = await paying()
    await begun.changes(awaiting_proof_for_order_id="LCXX-9999")
    await begun.sends()
    conversation, order, _ = await begun.state()
    assert (waits(conversation), order.payment_proof) == ((None, None), None)


@pytest.mark.parametrize(
    "draft",
    [
        {"text": "I have paid", "attachments": ()},
        {"attachments": (Attachment(kind=AttachmentKind.VIDEO, url="https://x.example/a.mp4"),)},
        {"attachments": (Attachment(kind=AttachmentKind.DOCUMENT, url="https://x.example/a.pdf"),)},
        {"sender": Sender.AGENT},
        {"sender": Sender.ASSISTANT},
    ],
)
async def test_only_pictures_of_the_customer_prove_anything(paying, draft):
    begun = await paying()
    await begun.is_entered(**draft)
    conversation, order, _ = await begun.state()
    assert (conversation.awaiting_proof_for_order_id, order.payment_proof) == (order.number, None)


async def test_a_proof_that_is_sent_twice_is_taken_once(paying):
    begun = await paying({**RULES, "confirmation_message": THANKS})
    post = PostCustomerMessage(begun.db, begun.clock, ids)
    draft = Draft(text="", attachments=(PICTURE,), client_id="c1")
    first = await post(visitor=begun.stage.visitor, draft=draft)
    again = await post(visitor=begun.stage.visitor, draft=draft)
    assert (again.message.id, again.is_repeat) == (first.message.id, True)
    _, order, said = await begun.state()
    assert (order.version, len(said)) == (1, 2)


@pytest.mark.parametrize("text", ["x" * 6_000, " \x00 "])
async def test_no_wording_keeps_a_customer_from_paying(paying, text):
    begun = await paying({**RULES, "confirmation_message": text})
    await begun.sends()
    _, order, said = await begun.state()
    assert order.payment_proof == PICTURE.url
    assert len(said) == (2 if text.startswith("x") else 1)


# What customers hear of their orders


SUMMARY = "[ORDER_ID] is now [STATUS]: [PRODUCT_LIST] for [TOTAL_AMOUNT], [CUSTOMER_NAME] [UNKNOWN] [ORDER_ID"


def with_texts(**strings):
    return {"order_management_flow_config": {"enabled": True, "strings": strings}}


async def tell(begun):
    """Everything that is due, twice, as after a crash."""
    use_case = TellCustomer(begun.db, begun.clock, ids)
    for _ in range(2):
        for event in await begun.due(OrderChanged.topic):
            await use_case(begun.stage.shop.id, event)
    _, _, said = await begun.state()
    return [message.text for message in said if message.sender is Sender.ASSISTANT]


async def test_a_new_status_is_told_once_in_the_shops_words(paying):
    begun = await paying(**with_texts(orderStatusSummary=SUMMARY))
    await begun.becomes(OrderStatus.CONFIRMED)
    assert await tell(begun) == [
        "LCXX-0001 is now Confirmed: - House Espresso (x2) for 25.80 USD, Mara Klein [UNKNOWN] [ORDER_ID"
    ]


async def test_a_status_may_have_a_text_of_its_own(paying):
    begun = await paying(**with_texts(orderStatusSummary=SUMMARY, status_returned="[ORDER_ID] is back."))
    await begun.becomes(OrderStatus.RETURNED)
    assert await tell(begun) == ["LCXX-0001 is back."]


async def test_only_the_last_of_quick_changes_is_told_and_each_return_to_it(paying):
    begun = await paying(**with_texts(orderStatusSummary="[STATUS]"))
    await begun.becomes(OrderStatus.CONFIRMED)
    await begun.becomes(OrderStatus.COMPLETED)
    assert await tell(begun) == ["Completed"]
    await begun.becomes(OrderStatus.CONFIRMED)
    await begun.becomes(OrderStatus.COMPLETED)
    assert (await tell(begun))[-1] == "Completed"


@pytest.mark.parametrize("settings", [{}, with_texts(orderStatusSummary=" "), with_texts(askForOrderId="?")])
async def test_a_shop_without_words_for_it_says_nothing(paying, settings):
    begun = await paying(**settings)
    await begun.becomes(OrderStatus.CONFIRMED)
    assert await tell(begun) == []


async def test_an_order_of_yesterday_is_not_told_of_any_more(paying):
    begun = await paying(**with_texts(orderStatusSummary="[STATUS]"))
    begun.clock.advance(timedelta(hours=24))
    await begun.becomes(OrderStatus.CONFIRMED)
    assert await tell(begun) == []


async def test_a_conversation_that_is_gone_ends_the_matter(paying):
    begun = await paying(**with_texts(orderStatusSummary="[STATUS]"))
    await begun.becomes(OrderStatus.CONFIRMED)

    def forget(tx):
        tx.conversations.delete(tx.conversations.get(begun.conversation_id))

    await begun.db.transact(forget, shop=begun.stage.shop.id)
    (event,) = await begun.due(OrderChanged.topic)
    await TellCustomer(begun.db, begun.clock, ids)(begun.stage.shop.id, event)
