"""Which family of clients a path belongs to, and how that family's error answers are written."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import msgspec

from adapters.http.errors import Problem
from adapters.wire.base import Out
from adapters.wire.webchat_codes import CODES
from core.kernel import Invalid

_encode = msgspec.json.Encoder().encode
_ENDED = re.compile(rb"(clos)(ed)", re.IGNORECASE)


class PlatformError(Out):
    """`error` is for people, `code` for programs; type, title, status and detail are RFC 9457's."""

    success: Literal[False]
    error: str
    code: str
    details: dict[str, Any]
    type: str
    title: str
    status: int
    detail: str
    request_id: str


class WebChatError(Out):
    """`error` and `message` are for people, `code` for programs; the rest is RFC 9457's."""

    error: str
    code: str
    details: dict[str, Any]
    message: str
    type: str
    title: str
    status: int
    detail: str
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    shape: type[PlatformError | WebChatError]
    is_public: bool
    """For strangers' pages: no cookies, and each shop says which origins may call; else the operator does."""
    statuses: Mapping[str, int] = field(default_factory=dict)
    """Where this dialect departs from the table of kinds."""
    codes: Mapping[str, str] = field(default_factory=dict)
    """What this dialect calls our codes."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """What this dialect calls the core's fields."""

    def spelled(self, error: Invalid) -> Invalid:
        """The same complaint about the field that the client knows, wherever it is."""
        return type(error)(field=self._spelled(str(error.facts["field"])), rule=error.facts["rule"])

    def _spelled(self, name: str) -> str:
        if name in self.fields:
            return self.fields[name]
        place, dot, inside = name.partition(".")
        return place + dot + self._spelled(inside) if dot else name

    def told(self, problem: Problem) -> Problem:
        """The problem with the status that it has in this dialect."""
        return replace(problem, status=self.statuses.get(problem.code, problem.status))

    def body(self, problem: Problem, request_id: str) -> bytes:
        body = _encode(self.error(problem, request_id))
        return _ENDED.sub(rb"\1-\2", body) if self.is_public else body

    def error(self, problem: Problem, request_id: str) -> PlatformError | WebChatError:
        members = {
            "error": problem.detail,
            "code": problem.code,
            "details": problem.details,
            "request_id": request_id,
            **problem.members,
        }
        if self.shape is PlatformError:
            return PlatformError(success=False, **members)
        members["code"] = self.codes.get(problem.code, problem.code.upper())
        return WebChatError(message=problem.detail, **members)


PLATFORM = Dialect(
    shape=PlatformError,
    is_public=False,
    fields={
        "assignee_id": "assigneeId",
        "client_id": "id",
        "cost": "originalPrice",
        "customer_name": "customerName",
        "form_id": "formId",
        "image_url": "imageUrl",
        "is_note": "isNote",
        "lines": "orderedProducts",
        "lines.quantity": "orderedProducts.quantity",
        "lines.unit_price": "orderedProducts.unitPrice",
        "order_id": "submissionId",
        "payment_proof": "paymentScreenshotUrl",
        "price": "retailPrice",
        "promo_ends": "promoEndDate",
        "promo_price": "promoPrice",
        "promo_starts": "promoStartDate",
        "subtitle": "facebookSubtitle",
    },
)

WEBCHAT = Dialect(
    shape=WebChatError,
    is_public=True,
    statuses={"bad_token": 401},
    codes=CODES,
    fields={
        "client_id": "temp_id",
        "customer_name": "sender_name",
        "session_id": "sessionId",
        "user_info": "userInfo",
    },
)
"""No error here may say "closed", not even of a field that is called so: the widget takes that for the
conversation's end."""

WEBCHAT_PATHS = ("/api/chat/", "/webchat/", "/api/webchat/", "/api/gw/", "/files/", "/embed", "/widget.")


def dialect_of(path: str) -> Dialect:
    return WEBCHAT if path.startswith(WEBCHAT_PATHS) else PLATFORM
