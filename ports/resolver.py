from collections.abc import Sequence
from typing import Protocol


class Resolver(Protocol):
    async def addresses(self, host: str, port: int) -> Sequence[str]:
        """The IP addresses of a host, in the order in which they should be tried. Raises OSError."""
        ...
