"""Who hears of what: the one visible list."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

from bootstrap.relay import Handler
from bootstrap.settings import AssistantKind, Settings
from core.application import Application
from core.conversations.events import AnswerDue, ConversationOpened, ConversationReopened
from core.kernel import Event
from core.notifications.events import PushDue
from core.orders.events import OrderChanged

ANSWER = "assistant.answer"
CLOSE_SILENT = "conversation.close_silent"
TELL_CUSTOMER = "order.tell_customer"
PUSH = "notification.push"


def subscriptions(settings: Settings) -> Mapping[type[Event], Sequence[str]]:
    """Which subscribers get a delivery of which events. Names are kept in the database: never rename one."""
    followed: dict[type[Event], Sequence[str]] = {
        ConversationOpened: [CLOSE_SILENT],
        ConversationReopened: [CLOSE_SILENT],
        OrderChanged: [TELL_CUSTOMER],
        PushDue: [PUSH],
    }
    answered: dict[type[Event], Sequence[str]] = (
        {} if settings.assistant is AssistantKind.OFF else {AnswerDue: [ANSWER]}
    )
    return {**followed, **answered}


def handlers(application: Application) -> Mapping[str, Handler]:
    async def answer(shop_id: str, event: Event) -> datetime | None:
        return await application.answer(shop_id, cast(AnswerDue, event))

    async def close_silent(shop_id: str, event: Event) -> datetime | None:
        return await application.close_silent(shop_id, cast(ConversationOpened | ConversationReopened, event))

    async def tell_customer(shop_id: str, event: Event) -> None:
        await application.tell_customer(shop_id, cast(OrderChanged, event))

    async def push(shop_id: str, event: Event) -> datetime | None:
        return await application.push.send(shop_id, cast(PushDue, event))

    return {ANSWER: answer, CLOSE_SILENT: close_silent, TELL_CUSTOMER: tell_customer, PUSH: push}
