"""Sites, on every database: a host is one shop's alone."""

import asyncio

import pytest

from core.shops.errors import ShopNotFound
from core.sites.errors import HostTaken, SiteNotFound
from core.sites.model import Site
from core.sites.use_cases import AddSite, ChangeSite, ListSites, RemoveSite
from ports.db import SYSTEM
from tests.builders import a_shop, ids


@pytest.fixture
async def stage(db, clock):
    return await a_shop(db, clock)


@pytest.fixture
async def other(db, clock):
    return await a_shop(db, clock)


@pytest.fixture
def add(db, clock):
    use_case = AddSite(db, clock, ids)

    async def add_one(stage, *hosts, name="Main"):
        return await use_case(actor=stage.owner, shop_id=stage.shop.id, name=name, hosts=hosts)

    return add_one


async def of(db, stage):
    return await ListSites(db)(actor=stage.owner, shop_id=stage.shop.id)


async def owners(db, *patterns):
    found = await db.read(lambda tx: tx.sites.by_patterns(patterns), shop=SYSTEM)
    return {pattern: entry.shop_id for pattern, entry in found.items()}


async def test_a_site_comes_back_as_it_was_stored(db, stage, add):
    site = await add(stage, "Shop.example", "*.shop.example", "localhost:8080")
    assert await of(db, stage) == [site]
    assert site.hosts == ("shop.example", "*.shop.example", "localhost:8080")


async def test_a_site_is_found_by_its_patterns_whatever_shop_it_is_of(db, stage, other, add):
    await add(stage, "shop.example", "*.shop.example")
    await add(other, "other.example")
    assert await owners(db, "*.shop.example", "other.example", "third.example") == {
        "*.shop.example": stage.shop.id,
        "other.example": other.shop.id,
    }
    assert await owners(db) == {}


async def test_a_host_belongs_to_one_shop_only(db, stage, other, add):
    await add(stage, "shop.example")
    with pytest.raises(HostTaken):
        await add(other, "mine.example", "SHOP.example:443")
    assert await of(db, other) == []


async def test_of_twenty_shops_at_once_one_gets_the_host(db, clock):
    stages = [await a_shop(db, clock) for _ in range(20)]

    def claim(stage):
        site = Site.make(id=ids.new(), name="x", hosts=["shop.example"], now=clock.now())
        return db.transact(lambda tx: tx.sites.add(site), shop=stage.shop.id)

    results = await asyncio.gather(*map(claim, stages), return_exceptions=True)
    assert results.count(None) == 1
    assert [type(result) for result in results].count(HostTaken) == 19


async def test_what_falls_under_anothers_wildcard_is_refused(db, stage, other, add):
    await add(stage, "*.shop.example")
    for host in ("login.shop.example", "*.eu.shop.example", "a.b.shop.example"):
        with pytest.raises(HostTaken):
            await add(other, host)
    await add(other, "shop.example")
    await add(stage, "login.shop.example")


async def test_changing_replaces_the_hosts(db, stage, other, add):
    site, change = await add(stage, "a.example", "b.example"), ChangeSite(db)
    changed = await change(
        actor=stage.owner, shop_id=stage.shop.id, site_id=site.id, hosts=["c.example", "b.example"]
    )
    assert (changed.name, changed.hosts) == ("Main", ("c.example", "b.example"))
    assert await of(db, stage) == [changed]
    await add(other, "a.example")
    with pytest.raises(HostTaken):
        await change(actor=stage.owner, shop_id=stage.shop.id, site_id=site.id, hosts=["a.example"])
    assert await of(db, stage) == [changed]


async def test_removing_frees_the_hosts(db, stage, other, add):
    site, remove = await add(stage, "shop.example"), RemoveSite(db)
    await remove(actor=stage.owner, shop_id=stage.shop.id, site_id=site.id)
    assert await of(db, stage) == []
    await add(other, "shop.example")
    with pytest.raises(SiteNotFound):
        await remove(actor=stage.owner, shop_id=stage.shop.id, site_id=site.id)


async def test_nobody_touches_another_shops_sites(db, stage, other, add):
    site = await add(stage, "shop.example")
    for shop_id, refusal in ((other.shop.id, SiteNotFound), (stage.shop.id, ShopNotFound)):
        named = {"actor": other.owner, "shop_id": shop_id, "site_id": site.id}
        with pytest.raises(refusal):
            await ChangeSite(db)(**named, name="Mine")
        with pytest.raises(refusal):
            await RemoveSite(db)(**named)
    assert await of(db, stage) == [site]
