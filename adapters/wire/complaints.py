"""msgspec's complaints as ours: the field in its wire spelling, and the rule."""

import re

import msgspec

from core.kernel import Invalid

_PLACE = re.compile(r"(?s)(.*?)(?: - at `(?:key in )?\$\.?(.*)`)?")
_NAMED = re.compile(r"Object (missing required|contains unknown) field `(.*)`")
_BOUND = re.compile(r"Expected `(\w+)` (of length )?([<>]=?) (\S+)")
_LIMITS = {"<=": "at most", ">=": "at least", "<": "less than", ">": "more than"}
_UNITS = {"str": "characters", "array": "entries", "object": "fields"}
_WORDS = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
}


def invalid(error: msgspec.ValidationError) -> Invalid:
    match = _PLACE.fullmatch(str(error))
    said, place = (match[1], match[2] or "") if match else (str(error), "")
    if named := _NAMED.fullmatch(said):
        place = f"{place}.{named[2]}" if place else named[2]
        return Invalid(
            field=short(place), rule="is required" if "missing" in named[1] else "is not known here"
        )
    return Invalid(field=short(place) or "body", rule=_rule(said))


def _rule(said: str) -> str:
    """`Expected `int`, got `str`` is `must be a whole number, not a text`."""
    if match := re.fullmatch(r"Expected `(.*?)`, got `(.*?)`", said):
        return f"must be {_words(match[1])}, not {_words(match[2])}"
    if match := _BOUND.fullmatch(said):
        kind, is_length, limit = match[1], match[2], f"{_LIMITS[match[3]]} {match[4]}"
        return f"must have {limit} {_UNITS[kind]}" if is_length else f"must be {limit}"
    if match := re.fullmatch(r"Expected `(\w+)` (.*)", said):
        return f"must be {_words(match[1])} {match[2]}"
    if said.startswith("Invalid enum value"):
        return "is not one of the values that it may have"
    return f"is not acceptable: {said[0].lower()}{said[1:120]}"


def _words(kinds: str) -> str:
    return " or ".join(_WORDS.get(kind, kind) for kind in kinds.split(" | "))


def short(name: str) -> str:
    return name if len(name) <= 80 else f"{name[:80]}…"
