"""Order numbers: the shop's initials, a dash, and the next number."""

import re

_NUMBER = re.compile(r"\S{2,8}-[0-9]{4,15}")
_TRAILING = re.compile(r"([0-9]{4,15})\Z", re.ASCII)
LETTERS = 4
DIGITS = 4


def prefix(shop_name: str) -> str:
    """The first letters of the name's words, upper-case: four of them, filled up with X."""
    initials = "".join(word[0] for word in shop_name.split()).upper()[:LETTERS]
    return initials.ljust(LETTERS, "X")


def numbered(shop_name: str, number: int, *, booking: bool = False) -> str:
    """`LCXX-0042`; for a booking `BK-0042`."""
    return f"{'BK' if booking else prefix(shop_name)}-{number:0{DIGITS}d}"


def looks_like_one(text: str) -> bool:
    """Whether a shop may have handed this out. The initials are those of any name: `7ÜÖX-0042`."""
    return _NUMBER.fullmatch(text) is not None and text.isprintable()


def named_in(text: str, shop_name: str) -> frozenset[str]:
    """The numbers in a text that are the shop's, by its present name; upper-case."""
    prefixes = f"{re.escape(prefix(shop_name))}|BK"
    found = re.findall(rf"(?<!\w)(?:{prefixes})-[0-9]{{{DIGITS},15}}(?![0-9])", text.upper())
    return frozenset(found)


def trailing(number: str | None) -> int:
    """The number at the end of an order number that somebody made up, or 0."""
    match = _TRAILING.search(number or "")
    return int(match[1]) if match else 0
