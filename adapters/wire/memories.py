"""What a client was shown, kept as digests, and what it has changed since: a three-way merge of JSON.

A client that sends a whole document back has changed some of it, and everything else is as old as what it
last saw. Comparing with what is stored now would take the old for a change. So the client's last view is
remembered, field by field, small values as they are and the others as digests.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

import msgspec

SHORT = 16
"""Characters of a text that is not worth a digest."""

MISSING: Final = object()
Buffer = bytes | memoryview | msgspec.Raw

_WHOLE_FLOAT = re.compile(rb"[0-9](?:\.0|e[0-9])")
"""In what may hold one."""

_encode = msgspec.json.Encoder(order="deterministic").encode


def digest(content: Buffer) -> str:
    """Of 72 bits: nobody gains anything by making two parts of their own document look the same."""
    return b64encode(sha256(content).digest()[:9]).decode()


def fingerprint(value: Any) -> Any:
    """Two values with the same one are the same value."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str) and len(value) <= SHORT:
        return value
    encoded = _encode(value)
    return [digest(_encode(_canonical(value)) if _WHOLE_FLOAT.search(encoded) else encoded)]


def _canonical(value: Any) -> Any:
    """As JavaScript writes numbers, to which 10.0 is 10."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
        return int(value)
    if isinstance(value, dict):
        return {name: _canonical(entry) for name, entry in value.items()}
    return [_canonical(entry) for entry in value] if isinstance(value, list) else value


def fields_of(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The fingerprint of each field."""
    return {name: fingerprint(value) for name, value in entry.items()}


def changed(remembered: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the entry that differ from what is remembered."""
    return {
        name: value
        for name, value in entry.items()
        if name not in remembered or remembered[name] != fingerprint(value)
    }


def tree(value: Any) -> Any:
    """A fingerprint for each leaf: objects by key, lists of entries that have ids by id."""
    if isinstance(value, dict):
        return {"{}": {name: tree(entry) for name, entry in value.items()}}
    if (entries := _by_id(value)) is not None:
        return {"[]": {id: tree(entry) for id, entry in entries.items()}}
    return fingerprint(value)


def differences(one: Any, other: Any) -> int:
    """How many leaves of two trees differ, or are only in one of them."""
    if one == other:
        return 0
    for kind in ("{}", "[]"):
        if isinstance(one, dict) and isinstance(other, dict) and kind in one and kind in other:
            names = one[kind].keys() | other[kind].keys()
            return sum(
                differences(one[kind].get(name, MISSING), other[kind].get(name, MISSING)) for name in names
            )
    return 1


def merged(remembered: Any, current: Any, incoming: Any, *, drops: bool) -> Any:
    """`current` with what the client has changed since it was shown what is remembered.

    `remembered`: a tree, or MISSING when nothing is known; then all that differs counts as changed. `drops`:
    whether what is absent from `incoming` was taken away, if it had been shown.
    """
    if remembered is not MISSING and tree(incoming) == remembered:
        return current
    if isinstance(incoming, dict) and isinstance(current, dict):
        known = _inside(remembered, "{}", current)
        return _merged_entries(known, current, incoming, drops=drops)
    theirs, ours = _by_id(incoming), _by_id(current)
    if theirs is not None and ours is not None:
        known = _inside(remembered, "[]", ours)
        return list(_merged_entries(known, ours, theirs, drops=True).values())
    return incoming


def _inside(remembered: Any, kind: str, current: Mapping[str, Any]) -> Mapping[str, Any]:
    """Where nothing is remembered, the client is taken to know what there is."""
    if isinstance(remembered, dict) and kind in remembered:
        inside: Mapping[str, Any] = remembered[kind]
        return inside
    return dict.fromkeys(current, MISSING)


def _merged_entries(
    known: Mapping[str, Any], current: Mapping[str, Any], incoming: Mapping[str, Any], *, drops: bool
) -> dict[str, Any]:
    """In the client's order, and what others have added at the end."""
    result = {}
    for name, value in incoming.items():
        if name in current:
            result[name] = merged(known.get(name, MISSING), current[name], value, drops=drops)
        elif known.get(name, MISSING) is MISSING or known[name] != tree(value):
            result[name] = value  # new, or changed by the client after somebody else took it away
    kept = {
        name: value
        for name, value in current.items()
        if name not in incoming and not (drops and name in known)
    }
    return result | kept


def _by_id(value: Any) -> dict[str, Any] | None:
    """A list's entries by their ids, if each has one of its own."""
    if not isinstance(value, list):
        return None
    entries = {_id(entry): entry for entry in value if isinstance(entry, dict)}
    return entries if len(entries) == len(value) and "" not in entries else None


def _id(entry: Mapping[str, Any]) -> str:
    id = entry.get("id", entry.get("key"))
    return id if isinstance(id, str) else ""
