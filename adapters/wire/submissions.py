"""What orders' endpoints take and give, as the OpenAPI document describes it.

The objects stay open: each answer is a key of its own. orders.py reads and writes them.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Meta

from adapters.wire.base import In, Loose
from adapters.wire.orders import STATUS_WORDS, Json, status_of
from core.kernel import Invalid
from core.orders.model import OrderStatus
from core.orders.use_cases import ORDERS_SHOWN

_TEXT: Json = {"type": "string"}
_AMOUNT: Json = {"type": "number", "minimum": 0}
_LINE: Json = {
    "type": "object",
    "properties": {
        "productId": _TEXT,
        "productName": _TEXT,
        "quantity": {"type": "integer", "minimum": 0},
        "unitPrice": _AMOUNT,
    },
    "required": ["productId", "quantity"],
}
_DISCOUNT: Json = {
    "type": ["object", "null"],
    "properties": {
        "type": {"enum": ["percentage", "fixed"]},
        "value": _AMOUNT,
        "amount": _AMOUNT | {"description": "What it takes off. Follows from the lines."},
    },
    "required": ["type", "value"],
}
_FIELDS: Json = {
    "submissionId": _TEXT,
    "orderId": _TEXT | {"description": "The number that people read. Unique in the shop."},
    "formId": _TEXT,
    "formName": _TEXT,
    "submittedAt": {"type": "integer", "minimum": 0, "description": "Milliseconds since 1970."},
    "status": {"enum": list(STATUS_WORDS.values())},
    "orderedProducts": {"type": "array", "items": _LINE},
    "paymentMethod": {"type": ["string", "null"]},
    "paymentScreenshotUrl": {"type": ["string", "null"]},
    "discount": _DISCOUNT,
}
_OTHERS = "Any other key is the label of an answer that the customer gave."
_ALWAYS = ["submissionId", "formId", "formName", "submittedAt", "status", "orderedProducts"]

SubmissionOut = Annotated[
    dict[str, Any],
    Meta(description=_OTHERS, extra_json_schema={"properties": _FIELDS, "required": _ALWAYS}),
]
SubmissionIn = Annotated[
    dict[str, Any],
    Meta(
        description=f"Any part, in camelCase or snake_case. {_OTHERS}",
        extra_json_schema={"properties": _FIELDS},
    ),
]


class StatusIn(Loose):
    status: str


class OrdersQuery(In, forbid_unknown_fields=False):
    """`before`: the submissionId of the last order that you have. `q`: a part of a number, name or id."""

    limit: Annotated[int, Meta(ge=1, le=ORDERS_SHOWN)] = ORDERS_SHOWN
    before: Annotated[str, Meta(max_length=64)] | None = None
    status: Annotated[str, Meta(max_length=32)] | None = None
    q: Annotated[str, Meta(max_length=255)] | None = None

    def wanted(self) -> OrderStatus | None:
        """Raises Invalid."""
        return status_of(self.status) if self.status else None


def placed_for(body: Mapping[str, Any]) -> tuple[Json, str | None]:
    """The FormSubmission in a POST, and the submission that it completes, as `form_submission_id` names it.

    Raises Invalid.
    """
    submission = body.get("form_submission_id")
    if submission is not None and not isinstance(submission, str):
        raise Invalid(field="form_submission_id", rule="must be a text")
    return as_submission(body), submission or None


def as_submission(body: Mapping[str, Any]) -> Json:
    """The FormSubmission in a body, whose `items` are its lines where an older client has written it.

    It names a `form_submission_id`, or its items look like lines. Others' items are a customer's answer.
    """
    document = dict(body)
    is_older = "form_submission_id" in document
    document.pop("form_submission_id", None)
    has_lines = "orderedProducts" in document or "ordered_products" in document
    if "items" in document and not has_lines and (is_older or _are_lines(document["items"])):
        document["orderedProducts"] = document.pop("items")
    return document


def _are_lines(items: Any) -> bool:
    """Whether these are products with their quantities, which no question of a form has as its answer."""
    return (
        isinstance(items, list)
        and bool(items)
        and all(isinstance(item, Mapping) and "quantity" in item and _PRODUCT & item.keys() for item in items)
    )


_PRODUCT = {"productId", "product_id", "id"}
