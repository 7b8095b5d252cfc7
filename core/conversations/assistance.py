"""What the assistant knows of a shop, and the rules by which it answers without a model."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class MatchType(StrEnum):
    CONTAINS = "contains"
    EXACT = "exact"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeywordReply:
    """A canned answer. First enabled rule that matches wins."""

    keywords: tuple[str, ...]
    reply: str
    match_type: MatchType = MatchType.CONTAINS

    def matches(self, text: str) -> bool:
        text = _folded(text)
        if self.match_type is MatchType.EXACT:
            return text in self.keywords
        return any(keyword in text for keyword in self.keywords)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeSection:
    title: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """Everything of a shop that an answer may draw on."""

    shop_name: str
    keyword_replies: tuple[KeywordReply, ...] = ()
    knowledge: tuple[KnowledgeSection, ...] = ()
    instructions: str = ""
    language: str = "en"
    tone: str = "neutral"
    delay_seconds: int = 0

    def keyword_reply(self, text: str) -> str | None:
        return next((rule.reply for rule in self.keyword_replies if rule.matches(text)), None)

    def best_section(self, text: str) -> KnowledgeSection | None:
        """The section that shares the most words with the question, if it shares any that say something."""
        words = _words(text)
        scored = [(_score(words, section), -index, section) for index, section in enumerate(self.knowledge)]
        best = max(scored, key=lambda entry: entry[:2], default=None)
        return best[2] if best is not None and best[0] > 0 else None


def brief_of(shop_name: str, settings: Mapping[str, Any]) -> Brief:
    """The assistant's share of a shop's settings document."""
    persona = settings.get("assistant_config") or {}
    return Brief(
        shop_name=shop_name,
        keyword_replies=tuple(_keyword_replies(settings.get("keyword_replies") or ())),
        knowledge=tuple(_sections(settings.get("knowledge_base") or {})),
        instructions=persona.get("system_prompt") or "",
        language=persona.get("language") or "en",
        tone=persona.get("tone") or "neutral",
        delay_seconds=max(0, min(60, int(persona.get("response_delay") or 0))),
    )


def _keyword_replies(entries: Iterable[Mapping[str, Any]]) -> Iterable[KeywordReply]:
    for entry in entries:
        keywords = tuple(filter(None, (_folded(word) for word in str(entry.get("keywords", "")).split(","))))
        context = entry.get("apply_to") or {}
        if entry.get("enabled", True) and context.get("chat", True) and keywords and entry.get("reply"):
            yield KeywordReply(
                keywords=keywords,
                reply=entry["reply"],
                match_type=MatchType(entry.get("match_type") or MatchType.CONTAINS),
            )


def _sections(base: Mapping[str, Any]) -> Iterable[KnowledgeSection]:
    for entry in base.get("user_defined") or ():
        if entry.get("content"):
            yield KnowledgeSection(title=entry.get("title") or "", content=entry["content"])
    for paragraph in (base.get("product_data") or "").split("\n\n"):
        if paragraph.strip():
            yield KnowledgeSection(title=paragraph.strip().splitlines()[0], content=paragraph.strip())


def _score(words: frozenset[str], section: KnowledgeSection) -> int:
    return 3 * len(words & _words(section.title)) + len(words & _words(section.content))


def _words(text: str) -> frozenset[str]:
    """Words that say something: short ones (the, is, a) match everything and decide nothing."""
    return frozenset(
        word for word in re.findall(r"\w+", _folded(text)) if len(word) > 3 or not word.isascii()
    )


def _folded(text: str) -> str:
    return text.strip().casefold()
