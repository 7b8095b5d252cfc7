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
