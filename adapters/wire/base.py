"""What everything on the wire is made of: camelCase outside, snake_case inside."""

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, Self, TypeVar

import msgspec

T = TypeVar("T")

Id = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._:-]{1,128}\Z")]
"""An id as clients send it. The pattern keeps everything from the database that it would choke on."""

Counted = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
"""A sequence number, a count, or a time in milliseconds: whole, and small enough for every database."""

Maybe = str | None | msgspec.UnsetType
"""A text that may be absent, and that clients also send as null."""


class In(msgspec.Struct, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A body or query. Unknown fields are refused."""


class Loose(msgspec.Struct, kw_only=True, rename="camel"):
    """A body that may hold more than is asked for, and snake_case twins of what is."""


class Out(msgspec.Struct, kw_only=True, rename="camel"):
    @classmethod
    def of(cls, source: Any) -> Self:
        """The declared fields of `source`, read by name, nested ones included."""
        return msgspec.convert(source, cls, from_attributes=True)


class Data(Out, Generic[T]):
    """What every successful answer of the platform's API looks like."""

    success: Literal[True]
    data: T


class DataList(Out, Generic[T]):
    """The same for several. `Data[list[T]]` in all but the name that the OpenAPI document gives it."""

    success: Literal[True]
    data: list[T]


def data(content: T) -> Data[T]:
    return Data(success=True, data=content)


def data_list(content: list[T]) -> DataList[T]:
    return DataList(success=True, data=content)


class Deleted(Out):
    id: str


def ms(moment: datetime) -> int:
    """Milliseconds since 1970, which is how the platform's pages tell time."""
    return round(moment.timestamp() * 1000)


def ms_or_none(moment: datetime | None) -> int | None:
    return None if moment is None else ms(moment)


def or_none(value: T | msgspec.UnsetType | None) -> T | None:
    return None if isinstance(value, msgspec.UnsetType) else value
