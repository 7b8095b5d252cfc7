from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from core.sites.model import Site


@dataclass(frozen=True, slots=True)
class SiteOfShop:
    shop_id: str
    site: Site


class Sites(Protocol):
    def get(self, site_id: str) -> Site:
        """Raises SiteNotFound."""
        ...

    def all(self) -> list[Site]:
        """The shop's sites, oldest first."""
        ...

    def add(self, site: Site) -> None:
        """Raises HostTaken when any site of any shop has one of the same hosts."""
        ...

    def save(self, site: Site) -> None:
        """Raises SiteNotFound, or HostTaken as `add` does."""
        ...

    def delete(self, site_id: str) -> None:
        """Raises SiteNotFound."""
        ...

    def by_patterns(self, patterns: Sequence[str]) -> dict[str, SiteOfShop]:
        """The sites that have these very patterns, by pattern. SYSTEM scope only."""
        ...
