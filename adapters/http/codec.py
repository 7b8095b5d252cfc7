"""Bytes to structs to bytes, strictly, and what each endpoint declares of itself."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from types import CodeType
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from adapters.http.access import Access
from adapters.http.call import Call
from adapters.http.errors import MalformedJson, UnsupportedMedia
from adapters.wire.base import Loose
from adapters.wire.complaints import invalid, short
from adapters.wire.strict_json import OddJson, mended, refuse_odd
from adapters.wire.twins import wire_names
from core.kernel import DomainError, Invalid

View = Callable[..., Any]

QUERY_LIMIT = 50
"""Fields of one query string."""

_ATTRIBUTE = "_parley_endpoint"
_DIGITS = re.compile(r"-?[0-9]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

encode = msgspec.json.Encoder().encode


class Incoming:
    """Declared as a body: the view is given the bytes as they come, as an asynchronous iterator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """What a route is beside its address: for whom, what comes in, what goes out, what it may refuse."""

    access: Access
    body: Any = None
    query: Any = None
    returns: Any
    status: int = 200
    also: tuple[int, ...] = ()
    """Statuses beside `status` under which the same thing is returned."""
    raises: tuple[type[DomainError], ...] = ()
    keeps_nul: bool = False
    """The core cleans this body's texts itself."""
    ignores_key: str | None = None
    """Why a POST can't honour an Idempotency-Key. Without a reason it does."""
    takes: frozenset[str] = field(default_factory=frozenset)
    """Which of call, actor, body, query and once (the Idempotency-Key) the view wants to be given."""

    @property
    def is_kept(self) -> bool:
        """Whether answers to its POSTs are kept for repetitions (once.py). A view that takes the key names by
        it what it creates, and needs that not."""
        return self.ignores_key is None and "once" not in self.takes


def endpoint(
    *,
    access: Access,
    returns: Any,
    body: Any = None,
    query: Any = None,
    status: int = 200,
    also: tuple[int, ...] = (),
    raises: tuple[type[DomainError], ...] = (),
    keeps_nul: bool = False,
    ignores_key: str | None = None,
) -> Callable[[View], View]:
    """Declare a route's view. The gate reads the declaration when the app is put together."""

    def declare(view: View) -> View:
        takes = frozenset(_parameters(view)) & {"call", "actor", "body", "query", "once"}
        declared = Endpoint(
            access=access,
            body=body,
            query=query,
            returns=returns,
            status=status,
            also=also,
            raises=raises,
            keeps_nul=keeps_nul,
            ignores_key=ignores_key,
            takes=takes,
        )
        setattr(view, _ATTRIBUTE, declared)
        return view

    return declare


def _parameters(view: View) -> tuple[str, ...]:
    """By its code: inspect.signature takes ten times as long, and there are more than a hundred views."""
    code: CodeType = view.__code__
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def endpoint_of(view: View) -> Endpoint | None:
    return getattr(view, _ATTRIBUTE, None)


def check_media(call: Call) -> None:
    """Raises UnsupportedMedia unless a body that is there calls itself JSON and is not compressed.

    This is also what keeps forms and text/plain out, which pages of any origin may send without asking.
    """
    check_encoding(call)
    media = call.headers.get(b"content-type", b"").split(b";", 1)[0].strip().lower()
    if media != b"application/json" and not (media.startswith(b"application/") and media.endswith(b"+json")):
        raise UnsupportedMedia(wanted="application/json")


def check_encoding(call: Call) -> None:
    """Raises UnsupportedMedia for a compressed body."""
    if call.headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise UnsupportedMedia(wanted="it is, without Content-Encoding")


def decode_body(body: bytes, kind: Any, *, keeps_nul: bool) -> Any:
    """Raises MalformedJson or Invalid. No body at all is an empty object, whatever the content type.

    A kind that has `from_body` reads the bytes itself, and then sees to what is odd about them as well.
    """
    body = body or b"{}"
    if keeps_nul:
        body = mended(body)
    try:
        if (reads_itself := getattr(kind, "from_body", None)) is not None:
            return reads_itself(body)
        refuse_odd(body, keeps_nul=keeps_nul)
        if isinstance(kind, type) and issubclass(kind, Loose):
            return msgspec.convert(wire_names(msgspec.json.decode(body), kind), kind)
        return _decoder(kind).decode(body)
    except msgspec.ValidationError as error:
        raise invalid(error) from None
    except OddJson as error:
        raise MalformedJson(reason=str(error)) from None
    except (ValueError, RecursionError):
        raise MalformedJson(reason="it does not parse as UTF-8 JSON") from None


def decode_query(query: bytes, kind: Any) -> Any:
    """Raises Invalid. What is not asked for is passed over, as links gather all sorts of things."""
    try:
        pairs = parse_qsl(
            query.decode("ascii"), keep_blank_values=True, max_num_fields=QUERY_LIMIT, errors="strict"
        )
    except ValueError:
        raise Invalid(field="query", rule="must be URL-encoded UTF-8, and not endless") from None
    given = dict(pairs)
    if len(given) != len(pairs):
        raise Invalid(field="query", rule="must not name a field twice")
    for name, value in given.items():
        if _CONTROL.search(value):
            raise Invalid(field=short(name), rule="must not hold control characters")
    for name in _whole_numbers(kind) & given.keys():
        # msgspec would also take 1e2, 1.0 and null.
        if not _DIGITS.fullmatch(given[name]):
            raise Invalid(field=name, rule="must be a whole number, in digits")
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise invalid(error) from None


@cache
def _whole_numbers(kind: Any) -> frozenset[str]:
    """The names of a query's fields that take an integer."""
    fields = msgspec.structs.fields(kind)
    return frozenset(
        field.encode_name for field in fields if _takes_integers(msgspec.inspect.type_info(field.type))
    )


def _takes_integers(shape: msgspec.inspect.Type) -> bool:
    if isinstance(shape, msgspec.inspect.UnionType):
        return any(map(_takes_integers, shape.types))
    return isinstance(shape, msgspec.inspect.IntType)


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)
