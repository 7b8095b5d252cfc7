"""Events as text, and back."""

from collections.abc import Mapping
from typing import Any

import msgspec

from core.catalogue import events as catalogue_events
from core.conversations import events as conversation_events
from core.forms import events as form_events
from core.kernel import Event
from core.notifications import events as notification_events
from core.orders import events as order_events
from core.shops import events as shop_events


def _topics(*modules: Any) -> dict[str, type[Event]]:
    found = (entry for module in modules for entry in vars(module).values())
    return {e.topic: e for e in found if isinstance(e, type) and issubclass(e, Event) and hasattr(e, "topic")}


TOPICS: Mapping[str, type[Event]] = _topics(
    catalogue_events, conversation_events, form_events, notification_events, order_events, shop_events
)
"""Every event that can be stored, by its name in storage."""

_DECODERS = {topic: msgspec.json.Decoder(event) for topic, event in TOPICS.items()}
_encode = msgspec.json.Encoder().encode


def encoded(event: Event) -> str:
    return _encode(event).decode()


def decoded(topic: str, payload: str | bytes) -> Event:
    return _DECODERS[topic].decode(payload)


def readable(topic: str, payload: str) -> Event | None:
    """The event, or None when it is of a kind or shape that this version does not know."""
    try:
        return decoded(topic, payload)
    except (KeyError, msgspec.MsgspecError):
        return None
