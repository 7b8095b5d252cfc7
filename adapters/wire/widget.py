"""The wire of the chat widget's own paths: its page names a session that the browser made, and no token.

What else it sends is kept as labels or passed over: these bodies come from pages that are out of our hands.
"""

from datetime import datetime
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from adapters.wire.base import Id
from adapters.wire.webchat import (
    CAMEL,
    ChatMessageOut,
    CustomerMessageIn,
    SiteIn,
    Tenant,
    accepted_out,
    message_out,
    one_line,
    real_tenant,
)
from core.conversations.model import NAME_LIMIT
from core.conversations.visitor import History, Posted
from ports.proofs import Proof

LABELS = ("domain", "origin", "url", "referrer", "fingerprint", "user_id", "user_name", "email")
PROOFS = frozenset({"userHash", "user_hash", "identityToken", "identity_token"})
"""They vouch for somebody: kept nowhere."""

WIDGET = CAMEL | {
    "user_hash": "userHash",
    "identity_token": "identityToken",
    "conversation_id": "conversationId",
}


class VisitIn(SiteIn, kw_only=True, forbid_unknown_fields=False, rename=WIDGET):
    """`userId` is a label unless `userHash` or `identityToken` proves it; both may also be in `userInfo`."""

    session_id: str
    user_hash: str | None = None
    identity_token: str | None = None

    @property
    def said(self) -> dict[str, Any]:
        return said_by(self)

    @property
    def proof(self) -> Proof | None:
        return proof_of(self, self.user_hash, self.identity_token)


class WidgetMessageIn(
    CustomerMessageIn,
    kw_only=True,
    forbid_unknown_fields=False,
    rename=CAMEL | {"user_hash": "userHash", "identity_token": "identityToken"},
):
    session_id: str
    user_hash: str | None = None
    identity_token: str | None = None

    @property
    def name(self) -> str | None:
        """What the visitor typed, else what the page calls them."""
        info = self.user_info if isinstance(self.user_info, dict) else {}
        said = (self.sender_name, info.get("name"), self.user_name)
        return next(
            (name for text in said if isinstance(text, str) and (name := one_line(text)[:NAME_LIMIT])), None
        )

    @property
    def said(self) -> dict[str, Any]:
        return said_by(self)

    @property
    def proof(self) -> Proof | None:
        return proof_of(self, self.user_hash, self.identity_token)


class ThreadQuery(Struct, kw_only=True, rename=WIDGET):
    """One of the two is needed. Whatever else the page asks by, such as a `userId`, says nothing."""

    session_id: str | None = None
    conversation_id: Id | None = None
    tenant_id: Tenant = None

    @property
    def tenant(self) -> str | None:
        return real_tenant(self.tenant_id)


class VisitOut(Struct, kw_only=True):
    """`ws_token` opens the chat's Socket.IO at `websocket_url` for `expires_in` seconds."""

    session_id: str
    visitor_id: str | None
    tenant_id: str
    integration_id: str
    site_id: str | None
    ws_token: str
    websocket_url: str
    ws_server_url: str
    expires_in: int


class InitOut(VisitOut, kw_only=True):
    """`closed_at` is null unless the conversation has ended; the next message opens it again."""

    closed_at: datetime | None


class OpenOut(Struct, kw_only=True):
    success: Literal[True]
    session_id: str
    status: Literal["bubble_click"]


class WidgetAcceptedData(Struct, kw_only=True, rename={"shown_or_not": "messageId"}):
    """`message_id` is left out while the page has not been shown the message by its socket: the widget would
    take what comes there for a repetition, and never mark it as delivered."""

    message_id: str | UnsetType
    shown_or_not: str
    conversation_id: str
    stream_id: str
    sequence: int
    timestamp: datetime
    duplicate: bool


class WidgetAcceptedOut(Struct, kw_only=True):
    code: Literal["ACCEPTED"]
    message: str
    data: WidgetAcceptedData


class ThreadOut(Struct, kw_only=True):
    messages: list[ChatMessageOut]


def said_by(body: SiteIn) -> dict[str, Any]:
    """What the page says of itself and of the person there."""
    labels = {name: value for name in LABELS if (value := getattr(body, name)) is not None}
    if isinstance(body.user_info, dict):
        labels["details"] = {key: value for key, value in body.user_info.items() if key not in PROOFS}
    return labels


def proof_of(body: SiteIn, user_hash: str | None, token: str | None) -> Proof | None:
    info = body.user_info if isinstance(body.user_info, dict) else {}
    user_hash = user_hash or _text(info, "userHash", "user_hash")
    token = token or _text(info, "identityToken", "identity_token")
    if not (user_hash or token):
        return None
    user_id = body.user_id if body.user_id is not None else info.get("userId", info.get("user_id"))
    return Proof(
        user_id=str(user_id) if isinstance(user_id, str | int) else None,
        user_hash=user_hash,
        token=token,
    )


def thread_out(history: History, shop_id: str) -> ThreadOut:
    return ThreadOut(messages=[message_out(message, shop_id) for message in history.messages])


def widget_accepted_out(posted: Posted, *, is_shown: bool) -> WidgetAcceptedOut:
    accepted = accepted_out(posted)
    return WidgetAcceptedOut(
        code=accepted.code,
        message=accepted.message,
        data=WidgetAcceptedData(
            message_id=accepted.data.message_id if is_shown else UNSET,
            shown_or_not=accepted.data.message_id,
            conversation_id=accepted.data.conversation_id,
            stream_id=accepted.data.stream_id,
            sequence=accepted.data.sequence,
            timestamp=accepted.data.timestamp,
            duplicate=accepted.data.duplicate,
        ),
    )


def _text(info: dict[str, Any], *names: str) -> str | None:
    return next((info[name] for name in names if isinstance(info.get(name), str)), None)
