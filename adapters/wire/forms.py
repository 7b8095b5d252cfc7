"""Forms as the platform's pages see them."""

from typing import Any

from msgspec import UNSET, UnsetType

from adapters.wire.base import Loose, Maybe, Out
from core.forms.model import FieldType, Form, FormField
from core.kernel import Invalid

TYPES = (
    FieldType.SHORT_TEXT,
    FieldType.TEXT_AREA,
    FieldType.NUMBER,
    FieldType.EMAIL,
    FieldType.PHONE,
    FieldType.DATE,
    FieldType.DROPDOWN,
    FieldType.MULTIPLE_CHOICE,
    FieldType.CHECKBOX,
    FieldType.ITEM_SELECTOR,
    FieldType.PAYMENT_SELECTOR,
)
OTHER_TYPES = ("text", "email", "number", "date", "checkbox", "select", "textarea")
"""As other clients call them: they are kept, and given back, as they are."""

_TYPES = {name.lower(): name for name in (*TYPES, *OTHER_TYPES)} | {
    name: name for name in (*TYPES, *OTHER_TYPES)
}


class FieldPart(Loose):
    """`name` is what other clients call the label."""

    id: Maybe = UNSET
    type: Maybe = UNSET
    label: Maybe = UNSET
    name: Maybe = UNSET
    required: bool | UnsetType | None = UNSET
    placeholder: Maybe = UNSET
    options: list[str] | UnsetType | None = UNSET
    item_ids: list[str] | UnsetType | None = UNSET
    payment_method_ids: list[str] | UnsetType | None = UNSET

    def field(self, *, exact: bool) -> FormField:
        """Raises Invalid."""
        return FormField(
            id=self.id or "",
            type=_type(self.type or "", exact=exact),
            label=(self.label or self.name or "").strip(),
            required=self.required is True,
            placeholder=self.placeholder or None,
            options=_entries(self.options),
            item_ids=_entries(self.item_ids),
            payment_method_ids=_entries(self.payment_method_ids),
        )


class FormPart(Loose):
    """Any part of a Form, or all of it. What is not known here is passed over: pages send what they read."""

    id: Maybe = UNSET
    name: Maybe = UNSET
    fields: list[FieldPart] | UnsetType | None = UNSET

    @property
    def own_id(self) -> str | None:
        return self.id or None

    @property
    def own_name(self) -> str | None:
        """None when it is not there. An empty one is there, and the core's to refuse."""
        return None if self.name is UNSET else self.name

    def all_fields(self, *, exact: bool = True) -> tuple[FormField, ...] | None:
        """None when they are not there. Fields without an id have an empty one. Raises Invalid.

        Unless `exact`, types that are not known are kept.
        """
        if not isinstance(self.fields, list):
            return None
        return tuple(part.field(exact=exact) for part in self.fields)


class FieldOut(Out, kw_only=True):
    id: str
    type: str
    label: str
    required: bool
    placeholder: str | UnsetType = UNSET
    options: list[str] | UnsetType = UNSET
    item_ids: list[str] | UnsetType = UNSET
    payment_method_ids: list[str] | UnsetType = UNSET


class FormOut(Out):
    id: str
    name: str
    fields: list[FieldOut]


def form_out(form: Form) -> FormOut:
    return FormOut(id=form.id, name=form.name, fields=[_field_out(field) for field in form.fields])


def _field_out(field: FormField) -> FieldOut:
    return FieldOut(
        id=field.id,
        type=field.type,
        label=field.label,
        required=field.required,
        placeholder=field.placeholder or UNSET,
        options=_list(field.options),
        item_ids=_list(field.item_ids),
        payment_method_ids=_list(field.payment_method_ids),
    )


def _type(said: str, *, exact: bool) -> str:
    known = _TYPES.get(said) or _TYPES.get(said.strip().lower())
    if known is None and exact:
        raise Invalid(field="fields.type", rule=f"must be one of {', '.join(TYPES)}")
    return known or said


def _entries(said: Any) -> tuple[str, ...] | None:
    return tuple(said) if isinstance(said, list) else None


def _list(entries: tuple[str, ...] | None) -> list[str] | UnsetType:
    return UNSET if entries is None else list(entries)
