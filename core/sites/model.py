"""A shop's sites: the web pages that show its chat, told by their hosts."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from core.kernel import Invalid, named_id
from core.shops.model import checked_name
from core.sites.hosts import checked_pattern, patterns_of

HOSTS_LIMIT = 20
SITES_LIMIT = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """`hosts` are patterns such as `shop.example` or `*.shop.example`; each is one site's alone."""

    id: str
    name: str
    hosts: tuple[str, ...]
    created_at: datetime

    @classmethod
    def make(cls, *, id: str, name: str, hosts: Iterable[str], now: datetime) -> Self:
        """Raises Invalid."""
        return cls(id=id, name=checked_name(name), hosts=_checked_hosts(hosts), created_at=now)

    def changed(self, *, name: str | None = None, hosts: Iterable[str] | None = None) -> Self:
        """The same site under another name or on other hosts. Raises Invalid."""
        return replace(
            self,
            name=self.name if name is None else checked_name(name),
            hosts=self.hosts if hosts is None else _checked_hosts(hosts),
        )


def integration_id(shop_id: str) -> str:
    """What a shop's pages know its chat by: the widget takes no answer without such an id."""
    return named_id("integration", shop_id, "web")


def is_covered(host: str, patterns: Iterable[str]) -> bool:
    return not set(patterns).isdisjoint(patterns_of(host))


def _checked_hosts(hosts: Iterable[str]) -> tuple[str, ...]:
    result = tuple(dict.fromkeys(checked_pattern(host) for host in hosts))
    if not 1 <= len(result) <= HOSTS_LIMIT:
        raise Invalid(field="hosts", rule=f"must hold 1 to {HOSTS_LIMIT} entries")
    return result
