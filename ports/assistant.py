"""Answers customers while nobody of the shop does."""

from dataclasses import dataclass
from typing import Protocol

from core.conversations.assistance import Brief
from core.conversations.messages import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What to say to the customer, and whether a person should take over."""

    text: str
    hand_over: bool = False


class Assistant(Protocol):
    async def answer(self, brief: Brief, history: list[Message], question: Message) -> Answer:
        """One complete answer to `question`.

        `history` is what was said before it, oldest first, without internal notes. Always answers within its
        time-out: an adapter that depends on somebody else falls back to rules when that somebody fails.
        """
        ...
