"""Who may call an endpoint, and how often: declared in one place per endpoint, and enforced in gate.py."""

from dataclasses import dataclass
from enum import StrEnum

from core.shops.policy import Permission


class Who(StrEnum):
    ANYONE = "anyone"
    PAGE = "page"
    """A shop's page: the endpoint itself finds the shop, by its public key or its id."""
    WIDGET = "widget"
    """A page of a shop, told by its site, the shop's id or a key, whose visitor has a session of their own
    making, or a token (reception.py)."""
    CHAT = "chat"
    """A visitor's token, or all that the widget shows instead."""
    VISITOR = "visitor"
    PERSON = "person"
    PLATFORM_ADMIN = "platform_admin"
    """A person who looks after the platform: above all shops, and for what concerns all of them."""
    AGENT = "agent"
    """A signed-in person, or a shop's own server with the shop's admin key."""
    CUSTOMER = "customer"
    """Anybody; and whoever shows what an AGENT does is known by it, and may see more. Only for reading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The rates are names of fields of options.Limits."""

    who: Who
    permission: Permission | None = None
    """What the use case asks of the caller's role in the shop. For the documents: the core enforces it."""
    per_address: str | None = None
    """Counted before anything else is looked at."""
    per_conversation: str | None = None
    """Counted by the conversation in the path, wherever the requests come from."""
    per_account: str | None = None
    """Counted by the account that the body names, wherever the attempts come from."""
    bucket: str = ""
    """Endpoints with a bucket of their own are not held up by what the same caller does elsewhere."""
    reads_cookies: bool = False
    """Where the body says nothing, the endpoint itself goes by the browser's cookies."""
    is_unlimited: bool = False
    """Said out loud, so that no endpoint is without limits by mistake."""

    @property
    def is_limited(self) -> bool:
        by_caller = self.who in {Who.CHAT, Who.VISITOR, Who.PERSON, Who.PLATFORM_ADMIN, Who.AGENT}
        return by_caller or self.per_address is not None


PUBLIC = Access(who=Who.ANYONE, per_address="address")
PROBE = Access(who=Who.ANYONE, is_unlimited=True)
VISITOR = Access(who=Who.VISITOR)
WIDGET = Access(who=Who.WIDGET, per_address="widget_per_address")
CHAT = Access(who=Who.CHAT)
PERSON = Access(who=Who.PERSON)
CUSTOMER = Access(who=Who.CUSTOMER, per_address="address")
PLATFORM_ADMIN = Access(who=Who.PLATFORM_ADMIN)


def agent(permission: Permission | None = None) -> Access:
    return Access(who=Who.AGENT, permission=permission)
