from dataclasses import dataclass
from typing import ClassVar

from core.kernel import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopOpened(Event):
    topic: ClassVar[str] = "shop.opened"
    owner_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberJoined(Event):
    topic: ClassVar[str] = "member.joined"
    user_id: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberChanged(Event):
    """`role` is the new one."""

    topic: ClassVar[str] = "member.changed"
    user_id: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberLeft(Event):
    """Of their own accord or not."""

    topic: ClassVar[str] = "member.left"
    user_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionChanged(Event):
    topic: ClassVar[str] = "subscription.changed"
    plan: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopChanged(Event):
    """`names`: what of it, such as name, currency, or the names of settings."""

    topic: ClassVar[str] = "shop.changed"
    names: tuple[str, ...]
