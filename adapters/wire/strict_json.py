"""What msgspec lets pass in JSON and we don't: duplicate keys, absurd depth, countless parts, NUL characters.

With a key that is there twice a proxy, a log and we might each believe another one.
"""

import json
import re
from typing import Any

DEPTH_LIMIT = 32
PARTS_LIMIT = 200_000
"""Commas, quotes and opening brackets. To look at the millions that a body has room for would hold all up."""

MENDED_LIMIT = 64 * 1024
"""Bytes: more than a message's text takes."""

_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
"""Also one that does not end, which would else be tried again from every quote in it."""
_INNERMOST = re.compile(rb"\[\]|\{\}")
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


_HALF = re.compile(
    rb"(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2}|(\\.)",
    re.DOTALL,
)
"""Half of a character, unless it is a whole one, or some other escape."""


class OddJson(ValueError):
    """JSON that msgspec would take. The text says what is odd about it."""


def refuse_odd(body: bytes, *, keeps_nul: bool = False) -> None:
    """Raises OddJson. Whether it is JSON at all is not decided here."""
    brackets = body.count(b"[") + body.count(b"{")
    if brackets + body.count(b",") + body.count(b'"') > PARTS_LIMIT:
        raise OddJson(f"it has more than {PARTS_LIMIT} parts")
    if brackets > DEPTH_LIMIT and _is_deep(body):
        raise OddJson(f"it is nested deeper than {DEPTH_LIMIT} levels")
    if not keeps_nul and b"\\u0000" in body and _NUL.search(body):
        raise OddJson("it holds NUL characters")
    try:
        _decode(body.decode())
    except OddJson:
        raise
    except (ValueError, RecursionError):
        return


def mended(body: bytes) -> bytes:
    """With U+FFFD for halves of characters, as browsers write them of a text that was cut within an emoji."""
    if len(body) > MENDED_LIMIT or (b"\\ud" not in body and b"\\uD" not in body):
        return body
    return _HALF.sub(lambda found: found[0] if found[1] or found[2] else b"\\ufffd", body)


def _is_deep(body: bytes) -> bool:
    """Takes off one layer of brackets after the other, which stays quick however the body is made."""
    brackets = _STRING.sub(b"", body).translate(None, _NOT_BRACKETS)
    for _ in range(DEPTH_LIMIT):
        if not brackets:
            return False
        brackets = _INNERMOST.sub(b"", brackets)
    return bool(brackets)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    distinct = dict(pairs)
    if len(distinct) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise OddJson(f"{twice[:80]} is there twice")
    return distinct


_decode = json.JSONDecoder(object_pairs_hook=_distinct).decode
