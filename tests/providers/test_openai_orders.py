"""A model that takes orders, through strict functions, over real HTTP."""

import json

import pytest
from structlog.testing import capture_logs

import adapters.providers.openai_client  # noqa: F401 - so that no test waits for the SDK's import
from adapters.providers.openai import ROUNDS
from core.conversations.assistance import Brief, SavedReply
from core.conversations.messages import Sender
from core.conversations.speeches import SPEECHES
from core.orders.wishes import BookingWish, OrderWish, Placed, WishedProduct
from core.outages import DatabaseDown
from ports.assistant import Answer
from tests.providers.model_server import SILENCE, ModelServer, completion, error, tool_call
from tests.providers.said import said
from tests.providers.test_openai import make

BRIEF = Brief(shop_name="Lumen Coffee", language="en")
QUESTION = said("Yes, that is right.")
ORDER = {
    "customerName": "Mara Klein",
    "phoneNumber": "+49 30 1234567",
    "shippingAddress": "Elm Street 5",
    "products": [{"productName": "House Espresso", "quantity": 2}],
    "paymentMethod": "Cash",
}
BOOKING = {
    "customerName": "Mara Klein",
    "phoneNumber": "+49 30 1234567",
    "serviceName": "Tasting",
    "appointmentDate": "Monday",
    "appointmentTime": "noon",
}
WISH = OrderWish(
    customer_name="Mara Klein",
    phone_number="+49 30 1234567",
    shipping_address="Elm Street 5",
    products=(WishedProduct(name="House Espresso", quantity=2),),
    payment_method="Cash",
)
PERSON = SPEECHES["en"].hand_over
THANKS = SPEECHES["en"].ordered.format(number="LCXX-0001")


class Till:
    """Answers wishes in the order of its script, and keeps what it has placed."""

    def __init__(self, *script, orders=True, bookings=True, methods=("Cash", "Card")):
        self.script, self.wishes, self.placed = list(script), [], []
        self.takes_orders, self.takes_bookings = orders, bookings
        self.payment_methods, self.offers = list(methods), ["House Espresso (product): 12.90 EUR"]

    async def place(self, wish):
        self.wishes.append(wish)
        answer = self.script.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if answer.success:
            self.placed.append(answer)
        return answer


OK = Placed(is_booking=False, order_id="LCXX-0001")
BOOKED = Placed(is_booking=True, order_id="BK-0002")
NO = Placed(is_booking=False, error="Only 1 of House Espresso left")


@pytest.fixture
async def server():
    async with ModelServer() as server:
        yield server
        assert server.complaints == []


@pytest.fixture
async def assistant(server):
    assistant = make(server.url, timeout=10, max_retries=0)
    yield assistant
    await assistant.close()


def calls(*functions, content=None):
    """A completion that calls these functions: names and arguments."""
    made = [
        tool_call(name, said if isinstance(said, str) else json.dumps(said), id=f"call_{number}")
        for number, (name, said) in enumerate(functions)
    ]
    return completion(content, tool_calls=made, finish_reason="tool_calls")


async def test_an_order_is_placed_and_told(server, assistant):
    server.will(calls(("place_order", ORDER)), completion("Done, it is LCXX-0001."))
    till = Till(OK)
    assert await assistant.answer(BRIEF, [], QUESTION, till) == Answer(text="Done, it is LCXX-0001.")
    assert till.wishes == [WISH]
    asked, again = server.asked
    call, told = again.messages[-2:]
    assert (call.role, call.tool_calls[0].function.name) == ("assistant", "place_order")
    assert json.loads(told.content) == {"success": True, "orderId": "LCXX-0001"}
    assert again.messages[:-2] == asked.messages


async def test_a_booking_is_one_too(server, assistant):
    server.will(calls(("book_service", BOOKING)), completion("Booked: BK-0002."))
    till = Till(BOOKED)
    assert (await assistant.answer(BRIEF, [], QUESTION, till)).text == "Booked: BK-0002."
    assert till.wishes == [
        BookingWish(
            customer_name="Mara Klein",
            phone_number="+49 30 1234567",
            service_name="Tasting",
            appointment_date="Monday",
            appointment_time="noon",
        )
    ]


async def test_an_error_goes_back_to_the_model(server, assistant):
    server.will(calls(("place_order", ORDER)), completion("There is only one left. Is one enough?"))
    answer = await assistant.answer(BRIEF, [], QUESTION, Till(NO))
    assert answer == Answer(text="There is only one left. Is one enough?")
    told = json.loads(server.asked[-1].messages[-1].content)
    assert told == {"success": False, "error": "Only 1 of House Espresso left"}


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "not JSON",
        "[" * 10_000,
        "null",
        {},
        {**ORDER, "discount": 100},
        {**ORDER, "products": []},
        {**ORDER, "products": [{"productName": "x", "quantity": 0}]},
        {**ORDER, "products": [{"productName": "x", "quantity": "2"}]},
        {**ORDER, "products": [{"productName": "x", "quantity": 10**9}]},
        {**ORDER, "products": "espresso"},
        {**ORDER, "customerName": None},
        {**ORDER, "customerName": "x" * 3_000},
    ],
    ids=lambda said: str(said)[:40],
)
async def test_arguments_that_are_none_never_reach_the_till(server, assistant, arguments):
    server.will(calls(("place_order", arguments)), completion("What is your name?"))
    till = Till()
    assert (await assistant.answer(BRIEF, [], QUESTION, till)).text == "What is your name?"
    assert till.wishes == []
    assert json.loads(server.asked[-1].messages[-1].content)["success"] is False


async def test_several_calls_are_all_answered(server, assistant):
    server.will(
        calls(("place_order", ORDER), ("book_service", BOOKING)), completion("LCXX-0001 and BK-0002.")
    )
    till = Till(OK, BOOKED)
    assert (await assistant.answer(BRIEF, [], QUESTION, till)).text == "LCXX-0001 and BK-0002."
    assert [message.role for message in server.asked[-1].messages[-3:]] == ["assistant", "tool", "tool"]


async def test_a_number_that_the_model_keeps_to_itself_is_told(server, assistant):
    server.will(calls(("place_order", ORDER)), completion("All done!"))
    assert (await assistant.answer(BRIEF, [], QUESTION, Till(OK))).text == f"All done!\n{THANKS}"


@pytest.mark.parametrize("made_up", ["LCXX-0001", "lcxx-0007", "(BK-0002)", "LCXX-00011"])
async def test_an_order_that_was_never_placed_has_no_number(server, assistant, made_up):
    server.will(completion(f"Thank you! Your order {made_up} has been placed."))
    till = Till()
    assert await assistant.answer(BRIEF, [], QUESTION, till) == Answer(text=PERSON, hand_over=True)
    assert till.wishes == []


async def test_a_wrong_number_is_not_told_but_the_right_one(server, assistant):
    server.will(calls(("place_order", ORDER)), completion("Your order is LCXX-0815."))
    assert await assistant.answer(BRIEF, [], QUESTION, Till(OK)) == Answer(text=THANKS)


async def test_numbers_that_were_spoken_of_may_be_told(server, assistant):
    before = [said("Your order lcxx-0815 is on its way.", Sender.ASSISTANT)]
    text = "LCXX-0815 comes today; the filter is AB-1234, and ISO-9001 is no order."
    server.will(completion(text))
    assert await assistant.answer(BRIEF, before, QUESTION, Till()) == Answer(text=text)


@pytest.mark.parametrize("then", [error(500), completion(None), calls(("delete_shop", {}))])
async def test_what_was_placed_is_told_whatever_becomes_of_the_model(server, assistant, then):
    server.will(calls(("place_order", ORDER)), then)
    with capture_logs() as logs:
        assert await assistant.answer(BRIEF, [], QUESTION, Till(OK)) == Answer(text=THANKS)
    assert [entry["event"] for entry in logs] == ["assistant_fell_back"]


async def test_a_model_that_falls_silent_has_a_deadline_for_all_of_its_rounds(server):
    impatient = make(server.url, timeout=1, max_retries=0)
    server.will(calls(("place_order", ORDER)), SILENCE)
    assert (await impatient.answer(BRIEF, [], QUESTION, Till(OK))).text == THANKS
    await impatient.close()


async def test_a_person_can_be_called_in_the_same_breath(server, assistant):
    server.will(calls(("place_order", ORDER), ("hand_over_to_person", {"reason": "wants a call"})))
    answer = await assistant.answer(BRIEF, [], QUESTION, Till(OK))
    assert answer == Answer(text=f"{THANKS}\n{PERSON}", hand_over=True)
    assert len(server.asked) == 1


async def test_a_model_that_never_stops_calling_is_left(server, assistant):
    server.will(calls(("place_order", ORDER)))
    till = Till(*[NO] * 20)
    assert await assistant.answer(BRIEF, [], QUESTION, till) == Answer(text=PERSON, hand_over=True)
    assert (len(server.asked), len(till.wishes)) == (ROUNDS, ROUNDS)


async def test_a_database_that_is_down_is_no_error_to_be_put_right(server, assistant):
    server.will(calls(("place_order", ORDER)), completion("Done!"))
    answer = await assistant.answer(BRIEF, [], QUESTION, Till(DatabaseDown()))
    assert answer == Answer(text=PERSON, hand_over=True)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("till", "offered"),
    [
        (None, {"hand_over_to_person"}),
        (Till(bookings=False), {"hand_over_to_person", "place_order"}),
        (Till(orders=False), {"hand_over_to_person", "book_service"}),
        (Till(), {"hand_over_to_person", "place_order", "book_service"}),
    ],
    ids=["nothing", "orders", "bookings", "both"],
)
async def test_only_what_the_shop_takes_is_offered(server, assistant, till, offered):
    server.will(completion("Hello."))
    await assistant.answer(BRIEF, [], QUESTION, till)
    assert {tool.function.name for tool in server.asked[0].tools} == offered


async def test_what_was_not_offered_is_not_done(server, assistant):
    server.will(calls(("place_order", ORDER)))
    till = Till(OK, orders=False)
    assert await assistant.answer(BRIEF, [], QUESTION, till) == Answer(text=PERSON, hand_over=True)
    assert till.wishes == []


async def test_ways_to_pay_are_those_of_the_shop(server, assistant):
    server.will(completion("Hello."))
    await assistant.answer(BRIEF, [], QUESTION, Till())
    await assistant.answer(BRIEF, [], QUESTION, Till(methods=()))
    some, none = (
        {tool.function.name: tool.function.parameters.properties for tool in asked.tools}["place_order"]
        for asked in server.asked
    )
    assert some["paymentMethod"].enum == ["Cash", "Card"]
    assert none["paymentMethod"].type == ["string", "null"]


async def test_the_model_is_told_what_there_is_and_how_the_shop_puts_things(server, assistant):
    server.will(completion("Hello."))
    brief = Brief(
        shop_name="Lumen", saved_replies=(SavedReply(name="Late", text="We are sorry for the delay."),)
    )
    await assistant.answer(brief, [], QUESTION, Till())
    system = server.asked[0].messages[0].content
    for told in (
        "House Espresso (product): 12.90 EUR",
        "Cash, Card",
        "We are sorry for the delay.",
        "confirmed",
    ):
        assert told in system


@pytest.mark.parametrize(
    ("mimics", "told"), [(True, "the customer's last message"), (False, "whatever the customer")]
)
async def test_the_language_is_the_customers_or_the_shops(server, assistant, mimics, told):
    server.will(completion("Bonjour."))
    await assistant.answer(Brief(shop_name="L", language="fr", mimics_language=mimics), [], QUESTION)
    system = server.asked[0].messages[0].content
    assert told in system
    assert ": fr." in system
