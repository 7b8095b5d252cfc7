from collections.abc import AsyncIterator
from typing import Any

import pytest

from adapters.providers.memory import ManualClock
from core.catalogue.model import Product
from core.kernel import UserActor, VisitorActor
from core.sites.model import Site
from ports.db import SYSTEM, Database
from tests import builders
from tests.databases import url_of
from tests.http.owner_page import Page
from tests.http.stand import Api, Serve, Stand
from tests.http.widget import Widget


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """Memory, unless a test asks for others: parametrize("database_url", KINDS, indirect=True)."""
    return url_of(getattr(request, "param", "memory"), request)


@pytest.fixture
def stand(db: Database, clock: ManualClock) -> Stand:
    return Stand(db, clock)


@pytest.fixture
async def serve(stand: Stand) -> AsyncIterator[Serve]:
    """Serves the real application, with options of the test's own if it has any."""
    served: list[Api] = []

    def make(*, peer: str = "127.0.0.1", **options: Any) -> Api:
        served.append(Api(stand.app(**options), peer=peer))
        return served[-1]

    yield make
    for api in served:
        await api.close()


@pytest.fixture
def api(serve: Serve) -> Api:
    return serve()


@pytest.fixture
async def stage(db: Database, clock: ManualClock) -> builders.Stage:
    return await builders.a_shop(db, clock)


@pytest.fixture
def owner(stand: Stand, stage: builders.Stage) -> str:
    """The owner's access token."""
    return stand.access(stage.owner)


@pytest.fixture
def visitor(stand: Stand, stage: builders.Stage) -> str:
    """The visitor's token."""
    return stand.visit(stage.visitor)


@pytest.fixture
async def stranger(stand: Stand, db: Database, clock: ManualClock) -> str:
    """The access token of somebody with a shop of their own."""
    return stand.access((await builders.a_shop(db, clock)).owner)


@pytest.fixture
async def admin_key(stand: Stand, stage: builders.Stage) -> str:
    return await stand.application.shops.replace_admin_key(actor=stage.owner, shop_id=stage.shop.id)


@pytest.fixture
async def site(stand: Stand, stage: builders.Stage) -> Site:
    """The shop's pages are at https://shop.example and below."""
    hosts = ["shop.example", "*.shop.example"]
    return await stand.application.sites.add(
        actor=stage.owner, shop_id=stage.shop.id, name="Main", hosts=hosts
    )


@pytest.fixture
def widget(api: Api, site: Site) -> Widget:
    """The chat widget on a page of the shop, without a key."""
    return Widget(api)


@pytest.fixture
async def conversation_id(stand: Stand, stage: builders.Stage, db: Database, clock: ManualClock) -> str:
    """The visitor has said hello."""
    return (await builders.a_message(db, clock, stage.visitor)).conversation_id


async def make_platform_admin(db: Database, actor: UserActor) -> None:
    def work(tx: Any) -> None:
        user = tx.users.get(actor.user_id)
        user.is_admin = True
        tx.users.save(user)

    await db.transact(work, shop=SYSTEM)


def another_visitor(stage: builders.Stage) -> VisitorActor:
    return VisitorActor(stage.shop.id, builders.ids.new())


@pytest.fixture
async def product(db: Database, clock: ManualClock, stage: builders.Stage) -> Product:
    return await builders.a_product(db, clock, stage.shop)


@pytest.fixture
async def page(api, owner, stage) -> Page:
    return await Page(api, owner, stage.shop.id, "tab-1").load()


@pytest.fixture
async def other_tab(api, owner, stage) -> Page:
    return await Page(api, owner, stage.shop.id, "tab-2").load()
