from typing import Protocol


class Passwords(Protocol):
    async def hash(self, password: str) -> str:
        """A salted slow hash with its own parameters inside."""
        ...

    async def verify(self, password: str, hashed: str | None) -> bool:
        """Whether the password fits. `None` stands for an unknown account, and takes as long."""
        ...

    def is_stale(self, hashed: str) -> bool:
        """Whether the hash was made with weaker parameters than today's."""
        ...

    def is_common(self, password: str) -> bool:
        """Whether the password is among those that attackers try first."""
        ...
