"""What the assistant knows of a shop, and the rules by which it answers without a model."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from core.conversations.buttons import Button, buttons_of, listed
from core.conversations.messages import Attachment, AttachmentKind
from core.kernel import Invalid
from core.shops.reading import Part

SAVED_REPLIES_SHOWN = 50


class MatchType(StrEnum):
    CONTAINS = "contains"
    EXACT = "exact"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeywordReply:
    """A canned answer. First enabled rule that matches wins."""

    keywords: tuple[str, ...]
    reply: str
    match_type: MatchType = MatchType.CONTAINS
    attachment: Attachment | None = None
    buttons: tuple[Button, ...] = ()

    def matches(self, text: str) -> bool:
        text = _folded(text)
        if self.match_type is MatchType.EXACT:
            return text in self.keywords
        return any(keyword in text for keyword in self.keywords)

    @property
    def text(self) -> str:
        """With its buttons as a list: messages have none, on any channel so far."""
        return listed(self.reply, self.buttons)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeSection:
    title: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedReply:
    """How the shop's people say something, as they have approved it."""

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """Everything of a shop that an answer may draw on."""

    shop_name: str
    keyword_replies: tuple[KeywordReply, ...] = ()
    knowledge: tuple[KnowledgeSection, ...] = ()
    saved_replies: tuple[SavedReply, ...] = ()
    instructions: str = ""
    language: str = "en"
    mimics_language: bool = True
    """Whether it answers in the customer's language, or always in the shop's."""
    tone: str = "neutral"
    delay_seconds: int = 0
    unreadable: tuple[str, ...] = ()
    """Where the settings hold what nobody can make sense of: it was passed over."""

    def keyword_rule(self, text: str) -> KeywordReply | None:
        return next((rule for rule in self.keyword_replies if rule.matches(text)), None)

    def keyword_reply(self, text: str) -> str | None:
        rule = self.keyword_rule(text)
        return rule.text if rule else None

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
    document = Part(settings)
    persona = document.part("assistant_config")
    return Brief(
        shop_name=shop_name,
        keyword_replies=tuple(_keyword_replies(document.parts("keyword_replies"))),
        knowledge=tuple(_sections(document.part("knowledge_base"))),
        saved_replies=tuple(_saved_replies(document.parts("saved_replies")))[:SAVED_REPLIES_SHOWN],
        instructions=persona.text("system_prompt"),
        language=persona.text("language") or "en",
        mimics_language=persona.is_on("mimic_language"),
        tone=persona.text("tone") or "neutral",
        delay_seconds=max(0, min(60, int(persona.number("response_delay")))),
        unreadable=tuple(document.unreadable),
    )


def _keyword_replies(entries: Iterable[Part]) -> Iterable[KeywordReply]:
    for entry in entries:
        keywords = tuple(filter(None, (_folded(word) for word in entry.text("keywords").split(","))))
        reply, match_type = entry.text("reply"), _match_type(entry)
        attachment, buttons = _attachment(entry.part("attachment")), buttons_of(entry.parts("buttons"))
        says_something = reply or attachment or buttons
        is_on = entry.is_on("enabled") and entry.part("apply_to").is_on("chat")
        if is_on and keywords and says_something and match_type:
            yield KeywordReply(
                keywords=keywords, reply=reply, match_type=match_type, attachment=attachment, buttons=buttons
            )


def _match_type(entry: Part) -> MatchType | None:
    """None for one that is not known: the rule might answer what it was not made for."""
    said = entry.any("match_type")
    if said is None or said == "":
        return MatchType.CONTAINS
    if isinstance(said, str) and said in list(MatchType):
        return MatchType(said)
    entry.pass_over("match_type")
    return None


def _attachment(entry: Part) -> Attachment | None:
    url, kind = entry.text("url"), entry.text("type") or AttachmentKind.IMAGE.value
    if not url:
        return None
    try:
        return Attachment(kind=AttachmentKind(kind), url=url, name=entry.text("name") or None)
    except (Invalid, ValueError):
        entry.pass_over("url")
        return None


def _sections(base: Part) -> Iterable[KnowledgeSection]:
    for entry in base.parts("user_defined"):
        content = [entry.text("content")]
        if entry.text("type") == "location_list":
            content += [_location(place) for place in entry.parts("locations")]
        if said := "\n\n".join(filter(None, content)):
            yield KnowledgeSection(title=entry.text("title"), content=said)
    for paragraph in base.text("product_data").split("\n\n"):
        if paragraph.strip():
            yield KnowledgeSection(title=paragraph.strip().splitlines()[0], content=paragraph.strip())


def _location(place: Part) -> str:
    """An address as it would stand on a card."""
    town = " ".join(filter(None, (place.text("postal_code"), place.text("city"))))
    address = ", ".join(filter(None, (place.text("address_line1"), town, place.text("state_region"))))
    lines = (
        place.text("name"),
        address,
        place.text("phone"),
        place.text("operating_hours"),
        place.text("notes"),
    )
    return "\n".join(filter(None, lines))


def _saved_replies(entries: Iterable[Part]) -> Iterable[SavedReply]:
    for entry in entries:
        if text := entry.text("text").strip():
            yield SavedReply(name=entry.text("name"), text=text)


def _score(words: frozenset[str], section: KnowledgeSection) -> int:
    return 3 * len(words & _words(section.title)) + len(words & _words(section.content))


def _words(text: str) -> frozenset[str]:
    """Words that say something: short ones (the, is, a) match everything and decide nothing."""
    return frozenset(
        word for word in re.findall(r"\w+", _folded(text)) if len(word) > 3 or not word.isascii()
    )


def _folded(text: str) -> str:
    return text.strip().casefold()
