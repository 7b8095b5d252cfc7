"""What the assistant knows of a shop, and the rules by which it answers without a model."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite, nan
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
    unreadable: tuple[str, ...] = ()
    """Where the settings hold what nobody can make sense of: it was passed over."""

    def keyword_reply(self, text: str) -> str | None:
        return next((rule.reply for rule in self.keyword_replies if rule.matches(text)), None)

    def best_section(self, text: str) -> KnowledgeSection | None:
        """The section that shares the most words with the question, if it shares any that say something."""
        words = _words(text)
        scored = [(_score(words, section), -index, section) for index, section in enumerate(self.knowledge)]
        best = max(scored, key=lambda entry: entry[:2], default=None)
        return best[2] if best is not None and best[0] > 0 else None


def brief_of(shop_name: str, settings: Mapping[str, Any]) -> Brief:
    """The assistant's share of a shop's settings document.

    Whatever stands there, a customer gets an answer: what can't be read counts as not said.
    """
    document = _Part(settings)
    persona = document.part("assistant_config")
    return Brief(
        shop_name=shop_name,
        keyword_replies=tuple(_keyword_replies(document.parts("keyword_replies"))),
        knowledge=tuple(_sections(document.part("knowledge_base"))),
        instructions=persona.text("system_prompt"),
        language=persona.text("language") or "en",
        tone=persona.text("tone") or "neutral",
        delay_seconds=max(0, min(60, int(persona.number("response_delay")))),
        unreadable=tuple(document.unreadable),
    )


class _Part:
    """A part of the settings, read with suspicion."""

    def __init__(self, said: Any, place: str = "", unreadable: list[str] | None = None) -> None:
        self.unreadable: list[str] = [] if unreadable is None else unreadable
        self._place = place
        self._said: Mapping[str, Any] = {}
        if isinstance(said, Mapping):
            self._said = said
        elif said is not None:
            self.unreadable.append(place.removesuffix("."))

    def part(self, name: str) -> "_Part":
        return _Part(self._said.get(name), f"{self._place}{name}.", self.unreadable)

    def parts(self, name: str) -> Iterable["_Part"]:
        entries = self._said.get(name)
        if isinstance(entries, list | tuple):
            for index, entry in enumerate(entries):
                yield _Part(entry, f"{self._place}{name}.{index}.", self.unreadable)
        elif entries is not None:
            self._pass_over(name)

    def text(self, name: str) -> str:
        value = self._said.get(name)
        if isinstance(value, str):
            return value
        if value is not None:
            self._pass_over(name)
        return ""

    def number(self, name: str) -> float:
        try:
            number = float(self._said.get(name) or 0)
        except (TypeError, ValueError, OverflowError):
            number = nan
        if isfinite(number):
            return number
        self._pass_over(name)
        return 0

    def is_on(self, name: str) -> bool:
        return bool(self._said.get(name, True))

    def match_type(self) -> MatchType | None:
        """None for one that is not known: the rule might answer what it was not made for."""
        value = self._said.get("match_type")
        if value is None or value == "":
            return MatchType.CONTAINS
        if isinstance(value, str) and value in list(MatchType):
            return MatchType(value)
        self._pass_over("match_type")
        return None

    def _pass_over(self, name: str) -> None:
        self.unreadable.append(f"{self._place}{name}")


def _keyword_replies(entries: Iterable[_Part]) -> Iterable[KeywordReply]:
    for entry in entries:
        keywords = tuple(filter(None, (_folded(word) for word in entry.text("keywords").split(","))))
        reply, match_type = entry.text("reply"), entry.match_type()
        is_on = entry.is_on("enabled") and entry.part("apply_to").is_on("chat")
        if is_on and keywords and reply and match_type:
            yield KeywordReply(keywords=keywords, reply=reply, match_type=match_type)


def _sections(base: _Part) -> Iterable[KnowledgeSection]:
    for entry in base.parts("user_defined"):
        if content := entry.text("content"):
            yield KnowledgeSection(title=entry.text("title"), content=content)
    for paragraph in base.text("product_data").split("\n\n"):
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
