"""What the database keeps of shops and their teams."""

from typing import Protocol

from core.shops.model import Member, Shop


class Shops(Protocol):
    def get(self, *, lock: bool = False) -> Shop:
        """The transaction's shop. Raises ShopNotFound."""
        ...

    def find(self) -> Shop | None:
        """The transaction's shop, if there is one."""
        ...

    def add(self, shop: Shop) -> None:
        """Raises DoneBefore when there is one with this id."""
        ...

    def save(self, shop: Shop) -> None:
        """Raises ConcurrentUpdate when the stored version is another."""
        ...

    def delete(self) -> None:
        """Remove the transaction's shop with every row that belongs to it. Raises ShopNotFound."""
        ...

    def of_user(self, user_id: str) -> list[Shop]:
        """The shops in whose team the user is, oldest first. SYSTEM scope only."""
        ...

    def all(self) -> list[Shop]:
        """Every shop, oldest first. SYSTEM scope only."""
        ...

    def by_id(self, shop_id: str) -> Shop | None:
        """SYSTEM scope only."""
        ...

    def by_public_key(self, key: str) -> Shop | None:
        """SYSTEM scope only."""
        ...

    def by_admin_key(self, digest: str) -> Shop | None:
        """SYSTEM scope only."""
        ...


class Members(Protocol):
    def get(self, user_id: str) -> Member | None: ...

    def add(self, member: Member) -> None:
        """Raises AlreadyMember."""
        ...

    def save(self, member: Member) -> None:
        """Raises MemberNotFound."""
        ...

    def remove(self, user_id: str) -> None:
        """Raises MemberNotFound."""
        ...

    def all(self) -> list[Member]:
        """The shop's team, the owner first, then by time of joining."""
        ...
