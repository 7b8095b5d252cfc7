"""Forms: what a customer is asked for when they order or book."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from core.conversations.messages import cleaned
from core.kernel import Invalid

ID_LIMIT = 128
NAME_LIMIT = 255
LABEL_LIMIT = 255
FIELDS_LIMIT = 200
OPTIONS_LIMIT = 1_000
OPTION_LIMIT = 1_000
PLACEHOLDER_LIMIT = 1_000
IDS_LIMIT = 10_000
FORMS_LIMIT = 500
"""Of one shop."""


class FieldType:
    """The kinds of field whose answers are checked. Others are kept, and take any answer."""

    SHORT_TEXT = "Short Text"
    TEXT_AREA = "Text Area"
    NUMBER = "Number"
    EMAIL = "Email"
    PHONE = "Phone"
    DATE = "Date"
    DROPDOWN = "Dropdown"
    MULTIPLE_CHOICE = "Multiple Choice"
    CHECKBOX = "Checkbox"
    ITEM_SELECTOR = "Item Selector"
    PAYMENT_SELECTOR = "Payment Selector"


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """`label` is the question, and the key of its answer."""

    id: str
    type: str
    label: str
    required: bool = False
    placeholder: str | None = None
    options: tuple[str, ...] | None = None
    item_ids: tuple[str, ...] | None = None
    payment_method_ids: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if len(self.id) > ID_LIMIT:
            raise Invalid(field="fields.id", rule=f"may have at most {ID_LIMIT} characters")
        if not 1 <= len(self.type) <= LABEL_LIMIT:
            raise Invalid(field="fields.type", rule=f"must have 1 to {LABEL_LIMIT} characters")
        if not 1 <= len(self.label.strip()) <= LABEL_LIMIT:
            raise Invalid(field="fields.label", rule=f"must have 1 to {LABEL_LIMIT} characters")
        if len(self.options or ()) > OPTIONS_LIMIT:
            raise Invalid(field="fields.options", rule=f"may hold at most {OPTIONS_LIMIT} entries")
        if any(len(option) > OPTION_LIMIT for option in self.options or ()):
            raise Invalid(field="fields.options", rule=f"may have at most {OPTION_LIMIT} characters each")
        if len(self.placeholder or "") > PLACEHOLDER_LIMIT:
            raise Invalid(field="fields.placeholder", rule=f"may have at most {PLACEHOLDER_LIMIT} characters")
        for ids in (self.item_ids or (), self.payment_method_ids or ()):
            if len(ids) > IDS_LIMIT or any(len(id) > ID_LIMIT for id in ids):
                rule = f"may name at most {IDS_LIMIT} things by their ids"
                raise Invalid(field="fields", rule=rule)


@dataclass(slots=True, eq=False, kw_only=True)
class Form:
    id: str
    name: str
    fields: tuple[FormField, ...]
    created_at: datetime
    version: int = 0

    @classmethod
    def make(cls, *, id: str, name: str, fields: tuple[FormField, ...], now: datetime) -> Self:
        """Raises Invalid."""
        return cls(id=id, name=checked_name(name), fields=checked_fields(fields), created_at=now)

    def change(self, *, name: str | None = None, fields: tuple[FormField, ...] | None = None) -> bool:
        """What is None stays; says whether anything differed. Raises Invalid."""
        before = (self.name, self.fields)
        self.name = self.name if name is None else checked_name(name)
        self.fields = self.fields if fields is None else checked_fields(fields)
        return before != (self.name, self.fields)


def checked_name(name: str) -> str:
    name = cleaned(name).strip()
    if not 1 <= len(name) <= NAME_LIMIT:
        raise Invalid(field="name", rule=f"must have 1 to {NAME_LIMIT} characters")
    return name


def checked_fields(fields: tuple[FormField, ...]) -> tuple[FormField, ...]:
    if len(fields) > FIELDS_LIMIT:
        raise Invalid(field="fields", rule=f"may hold at most {FIELDS_LIMIT} entries")
    return fields


def with_ids(fields: tuple[FormField, ...], new_id: Callable[[], str]) -> tuple[FormField, ...]:
    """Those that came without an id get one."""
    return tuple(field if field.id else replace(field, id=new_id()) for field in fields)
