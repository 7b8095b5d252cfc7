"""Answers customers while nobody of the shop does."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from core.conversations.assistance import Brief
from core.conversations.messages import Attachment, Message
from core.orders.wishes import Placed, Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What to say to the customer, and whether a person should take over. It says or shows something."""

    text: str
    hand_over: bool = False
    attachments: tuple[Attachment, ...] = ()


class Till(Protocol):
    """Where the assistant places what the customer of this question wants. It proposes; the till decides."""

    @property
    def takes_orders(self) -> bool: ...
    @property
    def takes_bookings(self) -> bool: ...

    @property
    def payment_methods(self) -> Sequence[str]:
        """The names of those that an order may choose from; without any it needs none."""
        ...

    @property
    def offers(self) -> Sequence[str]:
        """What there is to be had, a line each. Of very much, only a part."""
        ...

    @property
    def placed(self) -> Sequence[Placed]:
        """What was placed for this question so far."""
        ...

    async def place(self, wish: Wish) -> Placed:
        """Place an order or a booking, all of it or nothing. Asking once more for the same places nothing
        more, also after a crash. What can be put right comes back as an error; raises DatabaseDown."""
        ...


class Assistant(Protocol):
    async def answer(
        self, brief: Brief, history: list[Message], question: Message, till: Till | None = None
    ) -> Answer:
        """One complete answer to `question`.

        `history` is what was said before it, oldest first, without internal notes. Always answers within its
        time-out: an adapter that depends on somebody else falls back to rules when that somebody fails, but
        never hides what it has placed. Whoever has no use for a `till` answers as if there was none.
        """
        ...
