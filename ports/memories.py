"""What clients were shown of a shop: of a whole document that they send back, their own edits can be told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Recollection:
    """One view of the shop. `client`: whose; `tab`: the browser tab, once it has sent a document.

    `digest`: that of the last document which was sent, or of the answer that was given.
    """

    id: str
    client: str
    tab: str | None
    digest: str
    seen_at: datetime


class Memories(Protocol):
    def of_client(self, client: str) -> list[Recollection]:
        """The newest first."""
        ...

    def of_tab(self, client: str, tab: str) -> Recollection | None: ...

    def parts(self, recollection_id: str) -> dict[str, bytes]: ...

    def keep(self, recollection: Recollection, parts: Mapping[str, bytes]) -> None:
        """A new one, or one that has changed; `parts` are those that differ from what is stored."""
        ...

    def forget(self, recollection_id: str) -> None: ...

    def prune(self, before: datetime) -> int:
        """Forget those that nobody came back to since then; says how many. SYSTEM scope only."""
        ...
