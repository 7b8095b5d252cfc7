"""What a shop offers, in short: enough to find it by name, without the pictures."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from core.catalogue.model import ProductKind

CANDIDATES_SHOWN = 8


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
    """The one of exactly this name; else the only one but for case; else the only one whose name holds it, or
    is a part of it."""
    folded = " ".join(name.split()).casefold()
    ways: tuple[Callable[[Offer], bool], ...] = (
        lambda offer: offer.name == name,
        lambda offer: _folded(offer) == folded,
        lambda offer: folded != "" and (folded in _folded(offer) or _folded(offer) in folded),
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


def _folded(offer: Offer) -> str:
    return " ".join(offer.name.split()).casefold()
