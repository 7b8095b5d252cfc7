"""Conditions and ranges of requests for files (RFC 9110, 13 and 14)."""

import re
from datetime import datetime

from werkzeug.http import parse_date

from adapters.http.call import Call
from adapters.http.errors import RangeNotThere

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def is_known(call: Call, etag: str, modified: datetime | None = None) -> bool:
    """Whether the client has it already. `modified` is for what changes, in whole seconds."""
    sent = call.header(b"if-none-match")
    if sent is None:
        since = parse_date(call.header(b"if-modified-since"))
        return since is not None and modified is not None and modified <= since
    tags = [tag.strip().removeprefix("W/") for tag in sent.split(",")]
    return etag in tags or "*" in tags


def wanted(call: Call, etag: str, size: int) -> tuple[int, int] | None:
    """The first and last byte of the one part that is asked for; None for all of it.

    Several parts, other units and what does not parse get the whole, as the standard allows. Raises
    RangeNotThere.
    """
    match = _RANGE.fullmatch((call.header(b"range") or "").strip().lower())
    if call.method != "GET" or match is None or match[0] == "bytes=-":
        return None
    if (condition := call.header(b"if-range")) is not None and condition.strip() != etag:
        return None
    first, last = match[1], match[2]
    if not first:
        return _last_bytes(int(last), size)
    if last and int(last) < int(first):
        return None
    if int(first) >= size:
        raise RangeNotThere(size=size)
    return int(first), min(int(last), size - 1) if last else size - 1


def _last_bytes(count: int, size: int) -> tuple[int, int]:
    if count == 0:
        raise RangeNotThere(size=size)
    return max(0, size - count), size - 1
