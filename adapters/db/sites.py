"""Sites and their hosts."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam as p

from adapters.db.statements import ListStatement, Row, Session, Statement
from adapters.db.tables import Id, UtcDateTime, metadata
from core.sites.errors import SiteNotFound
from core.sites.model import Site
from ports.sites import SiteOfShop

sites = sa.Table(
    "sites",
    metadata,
    sa.Column("shop_id", Id, sa.ForeignKey("shops.shop_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("id", Id, primary_key=True),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
)

site_hosts = sa.Table(
    "site_hosts",
    metadata,
    sa.Column("shop_id", Id, primary_key=True),
    sa.Column("pattern", sa.String(320), primary_key=True),
    sa.Column("site_id", Id, nullable=False),
    sa.Column("place", sa.Integer, nullable=False),
    sa.ForeignKeyConstraint(
        ["shop_id", "site_id"],
        ["sites.shop_id", "sites.id"],
        name="fk_site_hosts_site_id",
        ondelete="CASCADE",
    ),
    sa.UniqueConstraint("pattern", name="uq_site_hosts_pattern"),
    sa.Index("ix_site_hosts_site_id", "shop_id", "site_id"),
)

_entries = (
    sa.select(
        sites.c.shop_id,
        sites.c.id,
        sites.c.name,
        sites.c.created_at,
        site_hosts.c.pattern,
        site_hosts.c.place,
    )
    .join(site_hosts, sa.and_(site_hosts.c.shop_id == sites.c.shop_id, site_hosts.c.site_id == sites.c.id))
    .order_by(sites.c.created_at, sites.c.id, site_hosts.c.place)
)
_OURS = sites.c.shop_id == p("shop_id")
_ALL = Statement(_entries.where(_OURS))
_ONE = Statement(_entries.where(_OURS, sites.c.id == p("site_id")))
_ADD = Statement(sites.insert())
_SAVE = Statement(
    sites.update().where(sites.c.shop_id == p("b_shop_id"), sites.c.id == p("b_id")).values(name=p("name"))
)
_DELETE = Statement(sites.delete().where(_OURS, sites.c.id == p("site_id")))
_ADD_HOSTS = Statement(site_hosts.insert())
_DELETE_HOSTS = Statement(
    site_hosts.delete().where(site_hosts.c.shop_id == p("shop_id"), site_hosts.c.site_id == p("site_id"))
)


def _with_patterns(patterns: Sequence[sa.BindParameter[Any]]) -> sa.Select[Any]:
    wanted = site_hosts.alias("wanted")
    named = sa.select(wanted.c.site_id).where(
        wanted.c.shop_id == sites.c.shop_id, wanted.c.site_id == sites.c.id, wanted.c.pattern.in_(patterns)
    )
    return _entries.where(named.exists())


_BY_PATTERNS = ListStatement(_with_patterns)


class SqlSites:
    def __init__(self, session: Session, shop_id: str | None) -> None:
        self._session, self._shop_id = session, shop_id

    def get(self, site_id: str) -> Site:
        found = _sites(_ONE.all(self._session, {"shop_id": self._shop_id, "site_id": site_id}))
        if not found:
            raise SiteNotFound
        return found[0].site

    def all(self) -> list[Site]:
        return [entry.site for entry in _sites(_ALL.all(self._session, {"shop_id": self._shop_id}))]

    def add(self, site: Site) -> None:
        row = {"id": site.id, "name": site.name, "created_at": site.created_at}
        _ADD.run(self._session, {"shop_id": self._shop_id, **row})
        self._add_hosts(site)

    def save(self, site: Site) -> None:
        row = {"b_shop_id": self._shop_id, "b_id": site.id, "name": site.name}
        if _SAVE.run(self._session, row) != 1:
            raise SiteNotFound
        _DELETE_HOSTS.run(self._session, {"shop_id": self._shop_id, "site_id": site.id})
        self._add_hosts(site)

    def delete(self, site_id: str) -> None:
        if _DELETE.run(self._session, {"shop_id": self._shop_id, "site_id": site_id}) != 1:
            raise SiteNotFound

    def by_patterns(self, patterns: Sequence[str]) -> dict[str, SiteOfShop]:
        found = _sites(_BY_PATTERNS.all(self._session, patterns, {}))
        by_host = {host: entry for entry in found for host in entry.site.hosts}
        return {pattern: by_host[pattern] for pattern in patterns if pattern in by_host}

    def _add_hosts(self, site: Site) -> None:
        rows = [
            {"shop_id": self._shop_id, "pattern": host, "site_id": site.id, "place": place}
            for place, host in enumerate(site.hosts)
        ]
        _ADD_HOSTS.run_many(self._session, rows)


def _sites(rows: Sequence[Row]) -> list[SiteOfShop]:
    """Of each site one row per host, one after the other."""
    hosts: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        hosts.setdefault((row["shop_id"], row["id"]), []).append(row["pattern"])
    firsts = {(row["shop_id"], row["id"]): row for row in reversed(rows)}
    return [_site(firsts[key], patterns) for key, patterns in hosts.items()]


def _site(row: Row, hosts: list[str]) -> SiteOfShop:
    site = Site(id=row["id"], name=row["name"], hosts=tuple(hosts), created_at=row["created_at"])
    return SiteOfShop(row["shop_id"], site)
