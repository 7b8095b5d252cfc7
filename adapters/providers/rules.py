"""Answers without a model: the shop's keyword replies, its knowledge, or a person."""

from dataclasses import replace

import structlog

from core.conversations.assistance import Brief, KeywordReply
from core.conversations.messages import Message, fit
from core.conversations.speeches import asks_for_person, hand_over_text
from ports.assistant import Answer, Till

log = structlog.get_logger(__name__)


class RulesAssistant:
    """Has no use for a till: it takes no orders, but hands over to a person."""

    async def answer(
        self, brief: Brief, history: list[Message], question: Message, till: Till | None = None
    ) -> Answer:
        return reply_at_once(brief, question) or _from_knowledge(brief, question) or hand_over(brief)


def reply_at_once(brief: Brief, question: Message) -> Answer | None:
    """What needs no thought: the shop's reply to a keyword, and a person for customers who ask for one."""
    if brief.unreadable:
        log.warning("shop_settings_unreadable", shop=brief.shop_name, places=brief.unreadable[:20])
    answer = _canned(brief.keyword_rule(question.text))
    if asks_for_person(question.text):
        return replace(answer, hand_over=True) if answer else hand_over(brief)
    return answer


def _canned(rule: KeywordReply | None) -> Answer | None:
    text = fit(rule.text) if rule else ""
    attachments = (rule.attachment,) if rule and rule.attachment else ()
    return Answer(text=text, attachments=attachments) if text or attachments else None


def hand_over(brief: Brief) -> Answer:
    return Answer(text=hand_over_text(brief.language), hand_over=True)


def _from_knowledge(brief: Brief, question: Message) -> Answer | None:
    section = brief.best_section(question.text)
    text = fit(section.content) if section else ""
    return Answer(text=text) if text else None
