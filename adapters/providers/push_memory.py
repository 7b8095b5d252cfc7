"""Pushes that go nowhere: for development without the Internet, and for tests."""

from collections.abc import Callable

from adapters.providers.push_sender import checked
from adapters.providers.vapid import Vapid
from core.notifications.pushes import Push, PushAddress, PushOutcome

CREATED = PushOutcome(status=201)


class MemoryPushSender:
    """Satisfies ports.push.PushSender. Keeps what it is given in `sent`; `answers` is what it says to it."""

    def __init__(
        self, vapid: Vapid, answers: Callable[[PushAddress, Push], PushOutcome] = lambda _, __: CREATED
    ) -> None:
        self._vapid, self.answers = vapid, answers
        self.sent: list[tuple[PushAddress, Push]] = []

    @property
    def public_key(self) -> str:
        return self._vapid.public_key

    def checked(self, address: PushAddress) -> PushAddress:
        return checked(address)

    async def send(self, address: PushAddress, push: Push) -> PushOutcome:
        self.sent.append((address, push))
        return self.answers(address, push)
