"""What a web page tells of itself and of the person there, in every request of its chat."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from core.conversations.messages import cleaned
from ports.proofs import Proof

PLACEHOLDERS = frozenset({"", "your-tenant-id", "tenant-id", "your_tenant_id", "tenant_id"})
"""What pages send that were copied from an example and never filled in: the same as nothing."""

LABELS = ("domain", "origin", "url", "referrer", "fingerprint", "user_id", "user_name", "email")
PROOFS = frozenset({"userHash", "user_hash", "identityToken", "identity_token"})
"""They vouch for somebody: kept nowhere."""

LINE_LIMIT = 4_096
"""Characters that are looked at: nothing that is shown as one line may be longer."""

Tenant = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._:-]{0,128}\Z")] | None
Signature = Annotated[str, Meta(max_length=4_096)] | None

CAMEL = {
    "tenant_id": "tenantId",
    "session_id": "sessionId",
    "visitor_id": "visitorId",
    "user_id": "userId",
    "user_info": "userInfo",
    "user_name": "userName",
    "user_hash": "userHash",
    "identity_token": "identityToken",
    "site_id": "siteId",
    "client_message_id": "clientMessageId",
    "retry_due_to_closed": "_retryDueToClosed",
}
"""This wire mixes both spellings; these fields are not in snake_case."""


class PageIn(Struct, kw_only=True, forbid_unknown_fields=True, rename=CAMEL):
    """All of it is a label at most. Only `userHash` or `identityToken`, which may also lie in `userInfo`,
    prove who somebody is."""

    tenant_id: Tenant = None
    domain: Any = None
    origin: Any = None
    url: Any = None
    referrer: Any = None
    site_id: Any = None
    fingerprint: Any = None
    visitor_id: Any = None
    user_id: Any = None
    user_info: Any = None
    user_name: Any = None
    email: Any = None
    user_hash: Signature = None
    identity_token: Signature = None

    @property
    def tenant(self) -> str | None:
        return real_tenant(self.tenant_id)

    @property
    def said(self) -> dict[str, Any]:
        """The labels, by our names; what a page says of the person beside them is `details`."""
        labels = {name: value for name in LABELS if (value := getattr(self, name)) is not None}
        if self._details:
            labels["details"] = {key: value for key, value in self._details.items() if key not in PROOFS}
        return labels

    @property
    def called(self) -> str | None:
        """What the page calls the person."""
        said = (self._details.get("name"), self.user_name)
        return next((name for text in said if isinstance(text, str) and (name := one_line(text))), None)

    @property
    def proof(self) -> Proof | None:
        """What should prove who the person is, if anything should."""
        user_hash = self.user_hash or self._detail("userHash", "user_hash")
        token = self.identity_token or self._detail("identityToken", "identity_token")
        if not (user_hash or token):
            return None
        user_id = self._details.get("userId", self._details.get("user_id"))
        return Proof(_id(user_id if self.user_id is None else self.user_id), user_hash, token)

    @property
    def _details(self) -> dict[str, Any]:
        return self.user_info if isinstance(self.user_info, dict) else {}

    def _detail(self, *names: str) -> str | None:
        """What is there but no text proves nothing, and is not passed over either."""
        found = next((value for name in names if (value := self._details.get(name)) is not None), None)
        return found if isinstance(found, str | None) else "no text"


def real_tenant(said: str | None) -> str | None:
    return None if said in PLACEHOLDERS else said


def one_line(text: str) -> str:
    return " ".join(cleaned(text[:LINE_LIMIT]).split())


def _id(value: Any) -> str | None:
    """Pages number their users or name them."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None
