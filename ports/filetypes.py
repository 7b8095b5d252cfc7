from typing import Protocol

HEAD_BYTES = 4096
"""How much of a file's beginning tells its kind."""


class FileTypes(Protocol):
    def recognise(self, head: bytes) -> str | None:
        """The media type of a file that begins like this, such as `image/png`; None for no known kind.

        Goes by the bytes alone. Never raises.
        """
        ...
