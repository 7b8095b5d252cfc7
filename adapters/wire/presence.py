"""Who is online, as the web chat's admins read it."""

from datetime import datetime

from msgspec import UNSET, Struct, UnsetType

from core.conversations.signals import Online


class OnlineOut(Struct, kw_only=True, rename="camel"):
    user_id: str
    session_id: str
    connected_at: datetime
    domain: str | UnsetType
    origin: str | UnsetType
    url: str | UnsetType


class OnlineUsersOut(Struct):
    users: list[OnlineOut]


def online_out(online: Online) -> OnlineOut:
    return OnlineOut(
        user_id=online.user_id,
        session_id=online.session_id,
        connected_at=online.connected_at,
        domain=_told(online.domain),
        origin=_told(online.origin),
        url=_told(online.url),
    )


def _told(text: str | None) -> str | UnsetType:
    return UNSET if text is None else text
