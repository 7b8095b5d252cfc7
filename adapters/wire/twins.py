"""snake_case twins: some clients, and Parley's own stored documents, spell wire names the Python way."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, get_args

import msgspec
from msgspec.structs import fields

Rename = Callable[[Any], Any]


def wire_names(document: Any, kind: Any) -> Any:
    """`document` with the twins of `kind`'s fields under their wire names, on every level `kind` declares.

    Where both spellings are there, the wire's own counts: a client that sends back what it once read has
    changed that one. Free-form parts keep their keys.
    """
    return _renaming(kind)(document)


def stored(value: Any) -> Any:
    """A struct as a plain document under Python's names, for the database. What is unset is left out."""
    if isinstance(value, msgspec.Struct):
        named = ((name, getattr(value, name)) for name in value.__struct_fields__)
        return {name: stored(entry) for name, entry in named if entry is not msgspec.UNSET}
    if isinstance(value, list):
        return [stored(entry) for entry in value]
    return value


@cache
def _renaming(kind: Any) -> Rename:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _renaming_struct(kind)
    arguments = [_renaming(argument) for argument in get_args(kind)]
    inner = next((argument for argument in arguments if argument is not _same), _same)
    if inner is _same:
        return _same
    return lambda value: [inner(entry) for entry in value] if isinstance(value, list) else inner(value)


def _renaming_struct(kind: type[msgspec.Struct]) -> Rename:
    names = {field.name: field.encode_name for field in fields(kind)}
    deeper = {field.encode_name: _renaming(field.type) for field in fields(kind)}
    nested = {name: inner for name, inner in deeper.items() if inner is not _same}

    def rename(value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        twins = {names[key]: entry for key, entry in value.items() if key in names and names[key] != key}
        own = {key: entry for key, entry in value.items() if names.get(key, key) == key}
        both = {**twins, **own}
        return {key: nested[key](entry) if key in nested else entry for key, entry in both.items()}

    return rename


def _same(value: Any) -> Any:
    return value
