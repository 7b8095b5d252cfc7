"""The shop's buttons, keyword replies and orders in the assistant's turn, in their order."""

from datetime import timedelta

import pytest

from bootstrap.relay import Relay
from core.catalogue.model import ProductKind
from core.conversations.answering import AnswerCustomer
from core.conversations.assistance import brief_of
from core.conversations.buttons import Button, menu_of
from core.conversations.inbox import ChangeConversation, ReadConversation
from core.conversations.messages import TEXT_LIMIT, Sender
from core.conversations.speeches import SPEECHES
from core.orders.conversational import Occasion, PlaceFromChat
from ports.assistant import Answer
from tests.builders import a_message, a_product, a_shop, ids
from tests.contract.test_conversational_orders import ORDER, SELLING
from tests.unit.test_answering import LEASE

PICTURE = "data:image/png;base64,iVBORw0KGgo="


@pytest.fixture
def database_url():
    return "memory://"


class Model:
    """Stands for everything after the buttons, and writes down what it was asked."""

    def __init__(self):
        self.asked, self.tills = [], []
        self.orders = None

    async def answer(self, brief, history, question, till=None):
        self.asked.append(question.text)
        self.tills.append(till)
        if self.orders:
            await till.place(self.orders)
            raise RuntimeError("the process dies")
        return Answer(text="thought over")


class Chat:
    def __init__(self, db, clock, stage):
        self.db, self.clock, self.stage, self.model = db, clock, stage, Model()
        answer = AnswerCustomer(db, self.model, clock, ids)
        self.relay = Relay(db, {"assistant.answer": answer}, clock, LEASE)
        self.last = None

    async def says(self, text):
        """What the assistant answers, if it does."""
        before = len(await self.thread()) if self.last else 0
        self.last = await a_message(self.db, self.clock, self.stage.visitor, text)
        await self.relay.run_due()
        said = (await self.thread())[before:]
        return said[1] if len(said) > 1 else None

    async def thread(self):
        return (await self.view()).messages

    async def view(self):
        return await ReadConversation(self.db)(
            actor=self.stage.owner, shop_id=self.stage.shop.id, conversation_id=self.last.conversation_id
        )

    async def person_takes_over(self, *, is_so=True):
        await ChangeConversation(self.db, self.clock)(
            actor=self.stage.owner,
            shop_id=self.stage.shop.id,
            conversation_id=self.last.conversation_id,
            changes={"is_ai_active": not is_so},
        )

    async def assistant_takes_over(self):
        await self.person_takes_over(is_so=False)


@pytest.fixture
def chat(db, clock):
    async def begin(**settings):
        return Chat(db, clock, await a_shop(db, clock, **settings))

    return begin


MENU = [
    {"type": "postback", "title": "Talk to us", "payload": "HANDOVER_TO_HUMAN"},
    {"type": "postback", "title": "Our hours", "payload": "opening hours"},
    {"type": "postback", "title": "Just a title"},
    {"type": "web_url", "title": "Our page", "url": "https://lumen.example/"},
    {"type": "web_url", "title": "A trap", "url": "javascript:alert(1)"},
    {"type": "postback", "title": "Payment", "payload": "SHOW_ALL_PAYMENT_METHODS"},
]
METHODS = [
    {"id": "p1", "name": "Bank", "instructions": "To DE00 1234", "qr_code_url": PICTURE},
    {"id": "p2", "name": "Cash", "instructions": "At the door", "qr_code_url": "nonsense"},
    {"id": "p3", "name": "Gold", "instructions": "x", "enabled": False},
]


async def test_a_page_is_named_by_its_address(chat):
    begun = await chat(persistent_menu=MENU)
    assert (await begun.says(" our PAGE ")).text == "Our page: https://lumen.example/"
    assert (await begun.says("A trap")).text == "thought over"
    assert begun.model.asked == ["A trap"]


async def test_a_button_says_its_payload(chat):
    begun = await chat(persistent_menu=MENU)
    await begun.says("Our hours")
    await begun.says("Just a title")
    assert begun.model.asked == ["opening hours", "Just a title"]


@pytest.mark.parametrize("pressed", ["Talk to us", "HANDOVER_TO_HUMAN"])
async def test_a_person_is_called_by_a_button(chat, pressed):
    begun = await chat(persistent_menu=MENU, assistant_config={"language": "fr"})
    assert (await begun.says(pressed)).text == SPEECHES["fr"].hand_over
    assert not (await begun.view()).conversation.is_ai_active


async def test_a_shop_words_the_built_in_quick_replies_itself(chat):
    replies = [
        {"key": "handoverToHuman", "title": "Help me", "reply": "Mara is on her way."},
        {"key": "hours", "title": "Hours", "reply": "8 to 18"},
        {"key": "secret", "title": "Secret", "reply": "no", "enabled": False},
    ]
    begun = await chat(assistant_config={"custom_quick_replies": replies})
    assert (await begun.says("hours")).text == "8 to 18"
    assert (await begun.says("Secret")).text == "thought over"
    assert (await begun.says("Help me")).text == "Mara is on her way."
    assert not (await begun.view()).conversation.is_ai_active


async def test_ways_to_pay_are_listed_and_can_be_pressed(chat):
    begun = await chat(persistent_menu=MENU, payment_methods=METHODS, payment_intro_message="We take:")
    assert (await begun.says("Bank")).text == "thought over", "nothing was listed yet"
    assert (await begun.says("Payment")).text == "We take:\n\n• Bank\n• Cash"
    shown = await begun.says("bank")
    assert (shown.text, [one.url for one in shown.attachments]) == ("Bank\nTo DE00 1234", [PICTURE])
    by_id = await begun.says("PAYMENT_INFO_ID_p2")
    assert (by_id.text, by_id.attachments) == ("Cash\nAt the door", ())
    assert (await begun.says("PAYMENT_INFO_ID_p3")).text == "thought over"


async def test_what_there_is_can_be_looked_through(chat, db, clock):
    begun = await chat(
        assistant_config={
            "custom_quick_replies": [{"key": "showCategories", "reply": "Which?", "title": "Browse"}]
        }
    )
    button = {"type": "web_url", "title": "Recipe", "url": "https://lumen.example/recipe"}
    espresso = await a_product(
        db,
        clock,
        begun.stage.shop,
        category="Coffee",
        description="Dark.",
        image_url=PICTURE,
        buttons=(button,),
    )
    clock.advance(timedelta(seconds=1))
    await a_product(db, clock, begun.stage.shop, name="Oolong", category="Tea", price_minor=900)
    await a_product(db, clock, begun.stage.shop, name="Tasting", kind=ProductKind.SERVICE)
    assert (await begun.says("Browse")).text == "Which?\n\n• Coffee\n• Tea"
    assert (await begun.says("coffee")).text == "• House Espresso, 12.90 USD"
    assert (await begun.says("Show me tea")).text == "• Oolong, 9.00 USD"
    assert (await begun.says("Show me the way")).text == "thought over"
    product = await begun.says(f"PRODUCT_INFO_ID_{espresso.id}")
    assert product.text == "Dark.\n\n• Recipe: https://lumen.example/recipe"
    assert [one.url for one in product.attachments] == [PICTURE]
    assert (await begun.says("PRODUCT_INFO_ID_none")).text == "thought over"


ORDER_TEXTS = {
    "manageOrderButtonText": "My order",
    "manageOrderTriagePrompt": "What about it?",
    "checkOrderStatus": "Where is it?",
    "cancelExistingOrder": "Cancel it",
    "askForOrderId": "Which number?",
    "orderStatusSummary": "[ORDER_ID]: [STATUS]",
}


async def test_an_order_is_asked_after_by_its_number_in_its_own_chat_only(chat, db, clock):
    flow = {"enabled": True, "strings": ORDER_TEXTS}
    begun = await chat(**{**SELLING, "order_management_flow_config": flow})
    await a_product(db, clock, begun.stage.shop)
    assert (await begun.says("My order")).text == "What about it?\n\n• Where is it?\n• Cancel it"
    assert (await begun.says("Where is it?")).text == "Which number?"
    occasion = Occasion(begun.stage.shop.id, begun.last.conversation_id, begun.last.id)
    await PlaceFromChat(db, clock)(occasion=occasion, wish=ORDER)
    assert (await begun.says("lcxx-0001")).text == "LCXX-0001: Pending"
    assert (await begun.says("LCXX-0002")).text == "thought over"
    begun.stage = begun.stage.__class__(
        begun.stage.shop, begun.stage.owner, begun.stage.visitor.__class__(begun.stage.shop.id, "another")
    )
    begun.last = None
    assert (await begun.says("LCXX-0001")).text == "thought over", "another customer's order"


@pytest.mark.parametrize(
    ("name", "number"), [("7 Über & Öl", "7Ü&Ö-0001"), ("متجر البن", "ماXX-0001"), ("Lumen", "LXXX-0001")]
)
async def test_an_order_is_found_whatever_letters_its_number_has(chat, db, clock, name, number):
    flow = {"enabled": True, "strings": ORDER_TEXTS}
    begun = await chat(**{**SELLING, "order_management_flow_config": flow})
    await a_product(db, clock, begun.stage.shop)
    await db.transact(lambda tx: rename(tx, name), shop=begun.stage.shop.id)
    await begun.says("Hello")
    occasion = Occasion(begun.stage.shop.id, begun.last.conversation_id, begun.last.id)
    await PlaceFromChat(db, clock)(occasion=occasion, wish=ORDER)
    await begun.person_takes_over()
    assert (await begun.says(number.lower())).text == f"{number}: Pending"


def rename(tx, name):
    shop = tx.shops.get(lock=True)
    shop.name = name
    tx.shops.save(shop)


async def test_flows_that_are_off_have_no_buttons(chat):
    begun = await chat(order_management_flow_config={"enabled": False, "strings": ORDER_TEXTS})
    for text in ("My order", "MANAGE_ORDER_FLOW", "CHECK_ORDER_STATUS_FLOW"):
        assert (await begun.says(text)).text == "thought over"


async def test_where_a_person_has_taken_over_only_buttons_are_answered(chat):
    replies = [{"key": "hours", "title": "Hours", "reply": "8 to 18"}]
    begun = await chat(
        assistant_config={"custom_quick_replies": replies},
        keyword_replies=[{"keywords": "price", "reply": "10"}],
    )
    await begun.says("Hello")
    await begun.person_takes_over()
    assert await begun.says("price") is None
    assert (await begun.says("hours")).text == "8 to 18"
    assert await begun.says("hours, please, and a great deal more " * 4) is None
    assert not (await begun.view()).conversation.is_ai_active
    assert begun.model.asked == ["Hello"]


async def test_an_order_is_told_after_a_crash_and_not_placed_again(chat, db, clock):
    begun = await chat(**SELLING, assistant_config={"language": "de"})
    await a_product(db, clock, begun.stage.shop)
    begun.model.orders = ORDER
    assert await begun.says("Yes, please") is None
    begun.model.orders = None
    clock.advance(LEASE)
    await begun.relay.run_due()
    told = (await begun.thread())[-1]
    assert (told.sender, told.text) == (Sender.ASSISTANT, SPEECHES["de"].ordered.format(number="LCXX-0001"))
    assert begun.model.asked == ["Yes, please"]
    assert len(await db.read(lambda tx: tx.orders.latest(9), shop=begun.stage.shop.id)) == 1


async def test_an_order_is_told_also_when_a_person_took_over_during_the_thought(chat, db, clock):
    begun = await chat(**SELLING)
    await a_product(db, clock, begun.stage.shop)
    await begun.says("Hello")

    async def answer(brief, history, question, till=None):
        if question.text == "Yes":
            await till.place(ORDER)
        await begun.person_takes_over()
        return Answer(text="Thank you! How about a grinder?")

    begun.model.answer = answer
    assert (await begun.says("Yes")).text == SPEECHES["en"].ordered.format(number="LCXX-0001")
    await begun.assistant_takes_over()
    assert await begun.says("No") is None


async def test_a_shop_that_sells_gives_its_assistant_a_till(chat, db, clock):
    begun = await chat(**SELLING)
    await a_product(db, clock, begun.stage.shop)
    await a_product(db, clock, begun.stage.shop, name="Sold out", stock=0)
    await begun.says("Hello")
    (till,) = begun.model.tills
    assert (till.takes_orders, till.takes_bookings) == (True, True)
    assert list(till.offers) == ["House Espresso (product): 12.90 USD"]
    other = await chat()
    await other.says("Hello")
    assert other.model.tills == [None]


# Reading the settings


def test_a_keyword_reply_brings_its_picture_and_its_buttons():
    rule = {
        "keywords": "menu",
        "reply": "Here:",
        "attachment": {"type": "image", "url": PICTURE},
        "buttons": [{"type": "postback", "title": "More"}, {"title": ""}, {"type": "web_url", "title": "x"}],
    }
    brief = brief_of("Lantern", {"keyword_replies": [rule]})
    found = brief.keyword_rule("the menu")
    assert (found.text, found.attachment.url) == ("Here:\n\n• More", PICTURE)
    assert menu_of({"keyword_replies": [rule]}).pressed("more") == Button(title="More")


@pytest.mark.parametrize(
    "attachment",
    [{"url": "javascript:1"}, {"type": "spell", "url": PICTURE}, {"url": "data:text/html;base64,AA=="}],
)
def test_an_attachment_that_is_none_is_passed_over_and_named(attachment):
    brief = brief_of("L", {"keyword_replies": [{"keywords": "a", "reply": "b", "attachment": attachment}]})
    assert brief.keyword_rule("a").attachment is None
    assert brief.unreadable == ("keyword_replies.0.attachment.url",)


def test_places_are_knowledge():
    place = {
        "name": "Main",
        "address_line1": "Elm 5",
        "city": "Berlin",
        "postal_code": "10115",
        "phone": "030",
    }
    section = {"title": "Where", "type": "location_list", "locations": [place, {"name": "Other"}]}
    brief = brief_of("L", {"knowledge_base": {"user_defined": [section]}})
    assert brief.best_section("where?").content == "Main\nElm 5, 10115 Berlin\n030\n\nOther"


@pytest.mark.parametrize("text", ["", " ", "x" * 101])
def test_nothing_is_pressed_by_saying_nothing_or_much(text):
    settings = {"persistent_menu": [{"title": "x" * 101}, {"title": "y", "payload": ""}]}
    assert menu_of(settings).pressed(text) is None


async def test_an_answer_that_is_too_long_is_cut(chat):
    methods = [{"id": str(number), "name": f"{number} " + "x" * 200} for number in range(40)]
    begun = await chat(persistent_menu=MENU, payment_methods=methods)
    assert len((await begun.says("Payment")).text) <= TEXT_LIMIT
