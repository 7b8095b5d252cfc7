from typing import Protocol


class Emails(Protocol):
    def normal(self, email: str) -> str:
        """The address as it is stored, and the same for every way to write it: without regard to case and
        composition, its domain as people read it. At most 254 characters.

        Raises Invalid for what can be no address that mail reaches; whether it does is not asked.
        """
        ...
