"""Who hears of what: the one visible list."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

from bootstrap.relay import Handler
from bootstrap.settings import AssistantKind, Settings
from core.application import Application
from core.conversations.events import AnswerDue
from core.kernel import Event

ANSWER = "assistant.answer"


def subscriptions(settings: Settings) -> Mapping[type[Event], Sequence[str]]:
    """Which subscribers get a delivery of which events. Names are kept in the database: never rename one."""
    if settings.assistant is AssistantKind.OFF:
        return {}
    return {AnswerDue: [ANSWER]}


def handlers(application: Application) -> Mapping[str, Handler]:
    async def answer(shop_id: str, event: Event) -> datetime | None:
        return await application.answer(shop_id, cast(AnswerDue, event))

    return {ANSWER: answer}
