"""Secrets that have to be read again (a webhook's, a channel's token) are stored sealed."""

from typing import Protocol


class Cipher(Protocol):
    """Seals short texts for storage. `record` names the one place that a text belongs to, as in
    `webhook_endpoint:<shop>:<id>`: sealed text that was copied to another place does not open there."""

    def encrypt(self, clear: str, *, record: str) -> str:
        """Printable ASCII, another each time, about four thirds as long and 150 characters more."""
        ...

    def decrypt(self, sealed: str, *, record: str) -> str:
        """Raises SecretUnreadable when it was sealed by another key or for another record, or was altered."""
        ...

    def renewed(self, sealed: str, *, record: str) -> str | None:
        """The same sealed with the newest key; None when it is already. Raises SecretUnreadable."""
        ...
