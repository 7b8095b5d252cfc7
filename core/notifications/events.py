from dataclasses import dataclass
from typing import ClassVar

from core.kernel import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class PushDue(Event):
    """A notification whose people have browsers that want to be told of it while no page is open."""

    topic: ClassVar[str] = "notification.push_due"
    notification_id: str
