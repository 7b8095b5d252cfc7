"""The messages in a Shop that was sent: those that only its client has, and how many of them it knows."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import fields

from adapters.wire import memories
from adapters.wire.conversations import MessageIn
from adapters.wire.twins import wire_names
from core.conversations.messages import TEXT_LIMIT, fit
from core.kernel import Invalid
from core.shops.edits import SaidElsewhere

Entry = dict[str, Any]

SEEN = "messages seen"
"""What is remembered of a conversation beside its fields: how many of its messages the client knows."""

_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_NAMES = {name for field in fields(MessageIn) for name in (field.name, field.encode_name)}


def record_fields(record: Entry) -> Entry:
    """What is remembered of a record, and of a conversation how much of it is known."""
    messages = record.get("messages")
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        return memories.fields_of(record)
    return {**memories.fields_of(record), SEEN: _seen(record, messages)}


def messages_in(said: Any) -> dict[str, Entry]:
    """By id. Pages hold a message open whose text is yet to come: it is none so far. Raises Invalid."""
    if said is not None and not isinstance(said, list):
        raise Invalid(field="messages", rule="must be a list")
    entries = [entry for entry in said or [] if isinstance(entry, dict) and entry.get("id")]
    return {str(entry["id"]): entry for entry in entries if _says_something(entry)}


def said(id: str, entry: Entry) -> SaidElsewhere:
    """A message that only this client knows of so far. What is not a message's is passed over, and so is the
    end of an endless text: it would hold up all the rest, again and again. Raises Invalid."""
    if not _ID.fullmatch(id):
        raise Invalid(field="messages.id", rule="must be 1 to 64 letters, digits or any of . _ : -")
    known = {name: value for name, value in entry.items() if name in _NAMES}
    message = msgspec.convert(wire_names(known, MessageIn), MessageIn)
    if message.text is not None and len(message.text) > TEXT_LIMIT:
        message.text = fit(message.text)
    return SaidElsewhere(id=id, sender=message.who(), draft=message.draft())


def _seen(conversation: Entry, messages: Sequence[Entry]) -> int:
    """Messages count from 1 without gaps, and only the last ones are shown. Those that a page has added bear
    no sequence: it passes over what it is answered. Where none does, their client knows of no such thing.
    """
    shown = conversation.get("lastSequence")
    added = [message for message in messages if "sequence" not in message]
    own = len(messages_in(added))
    if not isinstance(shown, int) or shown <= 0:
        return own
    return shown + own if len(added) < len(messages) else shown


def _says_something(message: Entry) -> bool:
    text = message.get("text")
    is_blank = text is None or (isinstance(text, str) and not text.strip())
    return not is_blank or bool(message.get("attachment"))
