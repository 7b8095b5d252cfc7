"""What is accepted of a filled-in form fits its questions, whatever questions and answers there are."""

from contextlib import suppress
from datetime import UTC, datetime
from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.forms.checking import SELECTORS, check_answers, cleaned_answers
from core.forms.errors import AnswerRefused
from core.forms.model import FieldType, Form, FormField

NOW = datetime(2026, 3, 1, tzinfo=UTC)
CHOICES = {"Dropdown", "Multiple Choice", "Checkbox", "select", "checkbox"}
KINDS = [value for name, value in vars(FieldType).items() if name.isupper()]
KINDS += ["text", "email", "number", "date", "checkbox", "select", "textarea", "Signature"]


def a_form(*fields: FormField) -> Form:
    return Form(id="f", name="Form", fields=fields, created_at=NOW)


def check(kind: str, answer, *, required: bool = True, options=None) -> None:
    field = FormField(id="1", type=kind, label="Q", required=required, options=options)
    check_answers(a_form(field), cleaned_answers({"Q": answer}))


FITTING = [
    (FieldType.SHORT_TEXT, ["Mara", 5, "x" * 20_000, "<b>", "שלום"]),
    (FieldType.TEXT_AREA, ["a\nb"]),
    (FieldType.EMAIL, ["mara@shop.example", "a.b+c@x.co", "müller@bücher.example"]),
    (FieldType.PHONE, ["+972 50-123 4567", "(050) 1234567", "1234567", 5012345]),
    (FieldType.NUMBER, ["5", "-5.25", "+5", "1e3", ".5", "5.", 7, 7.5]),
    (FieldType.DATE, ["2026-03-31", "2026-03-31T10:00", "2026-03-31T10:00:00.000Z", "1900-01-01"]),
    ("text", ["x"]),
    ("textarea", ["x"]),
    ("email", ["mara@shop.example"]),
    ("number", ["5"]),
    ("date", ["2026-03-31"]),
    ("Signature", ["anything", 1, "<svg>"]),
    (FieldType.CHECKBOX, [True, "yes", ["a", "b"]]),
    (FieldType.DROPDOWN, ["free"]),
]
ODD = [
    (FieldType.SHORT_TEXT, ["", "  ", None, [], ["x"], True, {"a": 1}, "\x00\x07"]),
    (FieldType.EMAIL, ["mara", "mara@shop", "a b@x.co", "a@b@c.de", "@x.co", "a" * 320 + "@x.co", 5, True]),
    (FieldType.EMAIL, ["a@" + "." * 20_000, "a@" + "x." * 9_000 + "@"]),
    (FieldType.PHONE, ["123456", "12345x7", "+", "phone", "１２３４５６７", "12.34.56.78", "1234567;"]),
    (FieldType.NUMBER, ["five", "1,5", "1_000", "nan", "inf", "0x10", "1e9999", "--1", "١٢", "1" * 65]),
    (FieldType.DATE, ["tomorrow", "2026-02-30", "31.03.2026", "0026-03-31", "9999-12-31", "2026-13-01"]),
    (FieldType.CHECKBOX, [False, None, "", []]),
    ("email", ["mara"]),
    ("number", ["five"]),
    ("date", ["soon"]),
]


@pytest.mark.parametrize(("kind", "answer"), [(kind, one) for kind, answers in FITTING for one in answers])
def test_what_fits_is_accepted(kind, answer):
    check(kind, answer)


@pytest.mark.parametrize(("kind", "answer"), [(kind, one) for kind, answers in ODD for one in answers])
def test_what_does_not_fit_is_refused_by_its_label(kind, answer):
    with pytest.raises(AnswerRefused) as refused:
        check(kind, answer)
    assert refused.value.facts["field"] == "Q"


@pytest.mark.parametrize("kind", sorted(CHOICES))
@pytest.mark.parametrize(
    ("answer", "fits"),
    [
        ("S", {*CHOICES}),
        (5, {*CHOICES}),
        ("XL", set()),
        ("s", set()),
        (["S"], {*CHOICES} - {"Dropdown", "select"}),
        (["S", "L, tall"], {*CHOICES} - {"Dropdown", "select"}),
        (["S", "XL"], set()),
        ("S, 5", {*CHOICES} - {"Dropdown", "select"}),
        ("L, tall", {*CHOICES}),
        ("S, XL", set()),
        (True, set()),
    ],
)
def test_choices_are_among_the_options(kind, answer, fits):
    if kind in fits:
        check(kind, answer, options=("S", "L, tall", "5"))
    else:
        with pytest.raises(AnswerRefused):
            check(kind, answer, options=("S", "L, tall", "5"))


def test_a_box_with_one_option_may_just_be_ticked():
    check(FieldType.CHECKBOX, True, options=("I agree",))
    with pytest.raises(AnswerRefused):
        check(FieldType.CHECKBOX, False, options=("I agree",))


labels = st.sampled_from(["Full Name", "Email", "Size", "When", "Agree"])
answers = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text("aZ59@. -+,:é", max_size=20),
    st.sampled_from(["S", "M", "S, M", "a@b.co", "2026-03-31", "0501234567", "12.5"]),
    st.lists(st.sampled_from(["S", "M", "XL", 1]), max_size=3),
    st.dictionaries(st.just("a"), st.integers(), max_size=1),
)
questions = st.builds(
    FormField,
    id=st.just("1"),
    type=st.sampled_from(KINDS),
    label=labels,
    required=st.booleans(),
    options=st.sampled_from([None, (), ("S", "M")]),
)


@given(st.lists(questions, max_size=5), st.dictionaries(labels | st.just("Other"), answers, max_size=5))
def test_whatever_is_accepted_fits(fields, said):
    with suppress(AnswerRefused):
        kept = cleaned_answers(said)
        check_answers(a_form(*fields), kept)
        assert kept.keys() <= {field.label for field in fields}
        for field in fields:
            if field.type not in SELECTORS:
                assert fits(field, kept.get(field.label)), (field, kept)


def fits(field: FormField, answer) -> bool:
    """The same rules, said otherwise."""
    if answer is None:
        return not field.required
    if field.type in CHOICES:
        chosen = answer if isinstance(answer, list) else [answer]
        parts = {part for one in chosen for part in str(one).split(", ")}
        return not field.options or parts <= set(field.options)
    number = {"Number", "number"}, lambda: isfinite(float(answer))
    date = {"Date", "date"}, lambda: 1900 <= datetime.fromisoformat(str(answer)).year < 2200
    email = {"Email", "email"}, lambda: str(answer).count("@") == 1 and not set(str(answer)) & set(" \n")
    phone = {"Phone"}, lambda: sum(one.isdigit() for one in str(answer)) >= 7
    rules = [rule() for kinds, rule in (number, date, email, phone) if field.type in kinds]
    is_text = field.type == "Signature" or isinstance(answer, str | int | float)
    return is_text and all(rules)
