"""Rules that hold for everything in the core, found by reflection and not by memory."""

import importlib
import pkgutil
from collections import Counter
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime

import core
from adapters.db.events import TOPICS, decoded, encoded
from bootstrap.settings import Settings
from bootstrap.subscribers import handlers, subscriptions
from core.conversations.events import MessagePosted
from core.conversations.messages import Attachment, AttachmentKind, Message, Sender
from core.kernel import DomainError, Event, Kind

for module in pkgutil.walk_packages(core.__path__, "core."):
    importlib.import_module(module.name)


def heirs(of):
    return [heir for child in of.__subclasses__() for heir in (child, *heirs(child))]


def test_every_error_has_a_kind_a_code_of_its_own_and_a_sentence():
    errors = {error for error in heirs(DomainError) if error.__module__.startswith("core.")}
    assert errors
    codes = Counter(error.code for error in errors)
    assert [code for code, count in codes.items() if count > 1] == []
    for error in errors:
        assert isinstance(error.kind, Kind), error
        assert error.says, error


def test_every_event_can_be_stored_under_a_topic_of_its_own():
    # By name: a dataclass with slots leaves the class that it was made from behind.
    events = {(e.__module__, e.__name__, e.topic) for e in heirs(Event) if e.__module__.startswith("core.")}
    assert events
    assert Counter(topic for _, _, topic in events) == Counter(TOPICS.keys())
    assert {(e.__module__, e.__name__, topic) for topic, e in TOPICS.items()} == events


def test_stored_events_come_back_as_they_were():
    for topic, event in TOPICS.items():
        names = {field.name for field in fields(event)}
        assert is_dataclass(event)
        assert names, topic
    message = Message(
        id="m",
        conversation_id="c",
        sequence=1,
        sender=Sender.CUSTOMER,
        sender_id="v",
        sender_name=None,
        text="שלום \u2028 👋",
        attachments=(Attachment(kind=AttachmentKind.IMAGE, url="https://x.example/a.png"),),
        created_at=datetime(2026, 3, 1, 12, 0, 0, 123000, tzinfo=UTC),
    )
    event = MessagePosted(message=message, visitor_id=None)
    assert decoded(event.topic, encoded(event)) == event


def test_every_subscription_has_a_handler():
    class Application:
        answer = None

    wanted = {name for names in subscriptions(Settings()).values() for name in names}
    assert wanted <= set(handlers(Application()))
