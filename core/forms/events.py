from dataclasses import dataclass
from typing import ClassVar

from core.kernel import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class FormChanged(Event):
    """It was made, or changed."""

    topic: ClassVar[str] = "form.changed"
    form_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FormRemoved(Event):
    topic: ClassVar[str] = "form.removed"
    form_id: str
