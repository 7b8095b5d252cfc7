"""What a shop offers, in short: enough to find it by name, without the pictures."""

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from core.catalogue.model import ProductKind

CANDIDATES_SHOWN = 8
_ACCENTS_FROM = 200
"""Of Unicode's combining classes: what stands above or below a letter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """`price_minor`: what it sells for. A service has no stock to run out of."""

    id: str
    kind: ProductKind
    name: str
    category: str | None
    price_minor: int
    stock: int

    @property
    def is_to_be_had(self) -> bool:
        return self.kind is ProductKind.SERVICE or self.stock > 0


@dataclass(frozen=True, slots=True)
class Search:
    """What a name can mean: one offer, or several that it might mean, or none."""

    found: Offer | None
    candidates: tuple[Offer, ...] = ()


def by_name(offers: Sequence[Offer], name: str) -> Search:
    """The one of exactly this name; else the only one but for case and accents; else the only one whose name
    holds it, or is a part of it, word by word: who asks for steak wants no tea."""
    folded = _plain(name)
    ways: tuple[Callable[[Offer], bool], ...] = (
        lambda offer: offer.name == name,
        lambda offer: _folded(offer) == folded,
        lambda offer: _is_within(folded, _folded(offer)) or _is_within(_folded(offer), folded),
    )
    for is_meant in ways:
        meant = tuple(filter(is_meant, offers))
        if meant:
            return Search(meant[0] if len(meant) == 1 else None, meant[:CANDIDATES_SHOWN])
    return Search(None, _similar(offers, folded))


def _similar(offers: Iterable[Offer], folded: str) -> tuple[Offer, ...]:
    """Those that share words with the name; when there are none, what there is."""
    words = set(folded.split())
    scored = [(len(words & set(_folded(offer).split())), offer) for offer in offers]
    sharing = [offer for score, offer in sorted(scored, key=lambda entry: -entry[0]) if score]
    return tuple((sharing or [offer for _, offer in scored])[:CANDIDATES_SHOWN])


def _is_within(part: str, whole: str) -> bool:
    """Whether it stands there, and is not cut out of a longer word."""
    start = whole.find(part) if part else -1
    while start >= 0:
        end = start + len(part)
        if not (_is_one_word(whole[start - 1 : start + 1]) or _is_one_word(whole[end - 1 : end + 1])):
            return True
        start = whole.find(part, start + 1)
    return False


def _is_one_word(two: str) -> bool:
    """Whether nothing parts these neighbours. Scripts without cases may leave no blanks between words."""
    return len(two) == 2 and all(c.isalnum() and unicodedata.category(c) != "Lo" for c in two)


def _folded(offer: Offer) -> str:
    return _plain(offer.name)


def _plain(name: str) -> str:
    """Without case and accents, which people and models leave out. Other marks make other letters."""
    decomposed = unicodedata.normalize("NFKD", " ".join(name.split()).casefold())
    return unicodedata.normalize(
        "NFC", "".join(c for c in decomposed if unicodedata.combining(c) < _ACCENTS_FROM)
    )
