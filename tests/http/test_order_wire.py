"""A FormSubmission there and back again."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.wire.orders import EXTRAS, KNOWN, TWINS, order_out, parse, rounded, status_of
from core.kernel import Invalid
from core.orders.model import Discount, DiscountType, Order, OrderLine, OrderStatus

CURRENCIES = st.sampled_from(["USD", "JPY", "KWD", "CLF"])
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1).map(str.strip)
NAMES = WORDS.filter(lambda name: 0 < len(name) <= 50)
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
ANSWERS = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
LABELS = NAMES | st.sampled_from([*TWINS, *EXTRAS])


UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Other tests may keep the machine busy."""


@st.composite
def orders(draw):
    currency = draw(CURRENCIES)
    order = Order(
        id=draw(st.from_regex(r"[A-Za-z0-9._:-]{1,64}", fullmatch=True)),
        number=draw(st.none() | NAMES),
        form_id=draw(NAMES),
        form_name=draw(NAMES),
        status=draw(st.sampled_from(OrderStatus)),
        currency=currency,
        submitted_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(milliseconds=draw(st.integers(0, 10**10))),
        lines=tuple(
            OrderLine(
                product_id=draw(NAMES),
                product_name=draw(NAMES),
                quantity=draw(st.integers(1, 1_000_000)),
                unit_price_minor=draw(st.integers(0, 10**9)),
            )
            for _ in range(draw(st.integers(0, 3)))
        ),
        payment_method=draw(st.none() | NAMES),
        payment_proof=draw(st.none() | st.just("https://shop.example/proof.png")),
        answers=draw(st.dictionaries(LABELS.filter(lambda label: label not in KNOWN), ANSWERS, max_size=4)),
    )
    if draw(st.booleans()):
        kind, value = draw(st.sampled_from(DiscountType)), draw(st.integers(1, 100))
        order.discount = Discount.of(kind, value, subtotal_minor=order.subtotal_minor, currency=currency)
    return order


@UNHURRIED
@given(orders())
def test_an_order_comes_back_as_it_went_out(order):
    document = msgspec.json.decode(msgspec.json.encode(order_out(order)))
    read = parse(document, order.currency, labels=order.answers)
    assert read.answers == order.answers
    for name in ("id", "number", "form_id", "form_name", "submitted_at", "status", "payment_method"):
        assert getattr(read, name) == getattr(order, name)
    assert read.payment_proof == order.payment_proof
    assert [
        (line.product_id, line.product_name, line.quantity, line.unit_price_minor) for line in read.lines
    ] == [(line.product_id, line.product_name, line.quantity, line.unit_price_minor) for line in order.lines]
    assert (read.discount is None) == (order.discount is None)
    if read.discount:
        assert (read.discount.type, read.discount.value) == (order.discount.type, order.discount.value)


@UNHURRIED
@given(orders())
def test_what_parley_added_is_nobodys_answer(order):
    order.answers = {
        label: answer for label, answer in order.answers.items() if label not in EXTRAS | TWINS.keys()
    }
    document = order_out(order) | {"shopId": "s"}
    assert parse(document, order.currency).answers == order.answers
    in_snake_case = {
        key: value for key, value in document.items() if key not in KNOWN or key in {"status", "discount"}
    }
    again = parse(in_snake_case, order.currency)
    assert (again.id, again.form_name, again.lines) == (
        order.id,
        order.form_name,
        parse(document, order.currency).lines,
    )


@pytest.mark.parametrize(
    ("amount", "currency", "units"),
    [
        (19.995, "USD", 2000),
        (0.005, "USD", 1),
        (1.0049, "USD", 100),
        (2.5, "JPY", 3),
        (0.1 + 0.2, "KWD", 300),
    ],
)
def test_amounts_are_rounded_half_up(amount, currency, units):
    assert rounded(amount, currency, field="x") == units


@pytest.mark.parametrize("amount", [True, "1", None, -0.01, 10**14, 1e300])
def test_what_is_no_amount_is_refused(amount):
    with pytest.raises(Invalid):
        rounded(amount, "USD", field="x")


def test_a_part_says_which_fields_were_there():
    assert parse({}, "USD").given == frozenset()
    assert parse({"status": None, "orderedProducts": None}, "USD").given == frozenset()
    cleared = parse({"paymentMethod": None, "discount": None, "payment_screenshot_url": ""}, "USD")
    assert cleared.given == {"payment_method", "discount", "payment_proof"}
    assert cleared.payment_proof is None


def test_the_wires_own_spelling_counts():
    read = parse({"form_name": "old", "formName": "new", "order_id": "LCXX-0001"}, "USD")
    assert (read.form_name, read.number, read.answers) == ("new", "LCXX-0001", {})


def test_lines_of_which_nothing_was_ordered_are_passed_over():
    read = parse({"orderedProducts": [{"productId": 7, "quantity": 0}, {"id": 8, "quantity": 2}]}, "USD")
    assert [(line.product_id, line.quantity) for line in read.lines] == [("8", 2)]


@pytest.mark.parametrize("word", ["done", "", None, 5, ["Pending"]])
def test_other_words_are_no_status(word):
    with pytest.raises(Invalid, match="Pending, Confirmed, Completed, Cancelled, Return"):
        status_of(word)
