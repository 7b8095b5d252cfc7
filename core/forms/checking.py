"""What a customer has filled in, held against what the form asks for."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from core.conversations.messages import cleaned
from core.forms.errors import AnswerRefused
from core.forms.model import FieldType, Form, FormField

EMAIL_LIMIT = 320
NUMBER_LIMIT = 64
YEARS = range(1900, 2200)

SELECTORS = frozenset({FieldType.ITEM_SELECTOR, FieldType.PAYMENT_SELECTOR})
"""What is chosen there is no answer: it comes as the order's lines and payment method."""

_SYNONYMS = {
    "text": FieldType.SHORT_TEXT,
    "textarea": FieldType.TEXT_AREA,
    "email": FieldType.EMAIL,
    "number": FieldType.NUMBER,
    "date": FieldType.DATE,
    "checkbox": FieldType.CHECKBOX,
    "select": FieldType.DROPDOWN,
}
_LISTS = frozenset({FieldType.MULTIPLE_CHOICE, FieldType.CHECKBOX})
_CHOICES = _LISTS | {FieldType.DROPDOWN}

_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_PHONE = re.compile(r"[0-9\s+()-]+", re.ASCII)
_PHONE_DIGITS = 7
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)


def cleaned_answers(given: Mapping[str, Any]) -> dict[str, Any]:
    """Those that say something, without control characters, by label. Raises AnswerRefused."""
    answers: dict[str, Any] = {}
    for said, answer in given.items():
        label = said.strip()
        if label in answers:
            raise AnswerRefused(field=label[:255], rule="must not be answered twice")
        answers[label] = _cleaned(label, answer)
    return {label: answer for label, answer in answers.items() if answer not in (None, "", [])}


def check_answers(form: Form, answers: Mapping[str, Any]) -> None:
    """Raises AnswerRefused, which names the label and the rule."""
    labels = {field.label for field in form.fields}
    for label in answers:
        if label not in labels:
            raise AnswerRefused(field=label[:255], rule="is not asked for in this form")
    for field in form.fields:
        if field.type not in SELECTORS:
            _check(field, answers.get(field.label))


def _cleaned(label: str, answer: Any) -> Any:
    if isinstance(answer, str):
        return cleaned(answer).strip()
    if isinstance(answer, list):
        if all(isinstance(entry, str | int | float) for entry in answer):
            entries = [cleaned(entry).strip() if isinstance(entry, str) else entry for entry in answer]
            return [entry for entry in entries if entry != ""]
    elif answer is None or isinstance(answer, bool | int | float):
        return answer
    raise AnswerRefused(field=label[:255], rule="must be a text, a number, or a list of them")


def _check(field: FormField, answer: Any) -> None:
    kind = _SYNONYMS.get(field.type, field.type)
    if answer is None or (answer is False and kind == FieldType.CHECKBOX):
        if field.required:
            raise AnswerRefused(field=field.label, rule="must not be empty")
    elif kind in _CHOICES:
        _check_choice(field, kind, answer)
    elif isinstance(answer, bool | list):
        raise AnswerRefused(field=field.label, rule="must be a text")
    elif kind in _RULES:
        fits, rule = _RULES[kind]
        if not fits(str(answer)):
            raise AnswerRefused(field=field.label, rule=rule)


def _check_choice(field: FormField, kind: str, answer: Any) -> None:
    """Several choices come as a list, or joined by commas; a box without options is ticked or not."""
    options = set(field.options or ())
    if isinstance(answer, bool):
        if kind == FieldType.CHECKBOX and len(options) <= 1:
            return
        raise AnswerRefused(field=field.label, rule="must be chosen from its options")
    if isinstance(answer, list) and kind not in _LISTS:
        raise AnswerRefused(field=field.label, rule="takes a single choice")
    chosen = [str(entry) for entry in answer] if isinstance(answer, list) else [str(answer)]
    if not options or options.issuperset(chosen):
        return
    if kind in _LISTS and len(chosen) == 1 and options.issuperset(re.split(r",\s*", chosen[0])):
        return
    raise AnswerRefused(field=field.label, rule="must be chosen from its options")


def _is_email(text: str) -> bool:
    return len(text) <= EMAIL_LIMIT and _EMAIL.fullmatch(text) is not None


def _is_phone(text: str) -> bool:
    return _PHONE.fullmatch(text) is not None and sum(map(str.isdigit, text)) >= _PHONE_DIGITS


def _is_number(text: str) -> bool:
    return len(text) <= NUMBER_LIMIT and _NUMBER.fullmatch(text) is not None


def _is_date(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).year in YEARS
    except ValueError:
        return False


_RULES: dict[str, tuple[Callable[[str], bool], str]] = {
    FieldType.EMAIL: (_is_email, "must be an email address"),
    FieldType.PHONE: (
        _is_phone,
        f"must be a phone number: {_PHONE_DIGITS} digits or more, and only blanks, + - ( ) between them",
    ),
    FieldType.NUMBER: (_is_number, "must be a number"),
    FieldType.DATE: (_is_date, f"must be a date such as 2026-03-31, from {YEARS[0]} to {YEARS[-1]}"),
}
