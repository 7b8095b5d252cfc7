"""The demo shop: made once and found again, whatever cut the first attempt short; never in production."""

import asyncio

import pytest

from bootstrap.container import Container
from bootstrap.demo import NotInProduction, Seeder
from bootstrap.settings import Environment, Settings
from bootstrap.subscribers import ANSWER
from core.orders.submitting import Submission
from core.outages import DatabaseDown
from core.shops.policy import Role
from ports.db import SYSTEM

SECRET = "a-secret-that-is-long-enough-for-it"


def container_for(url, **changed):
    given = {"database_url": url, "jwt_secret": SECRET, "env": Environment.TEST} | changed
    return Container(settings=Settings(**given))


def seeder(container, **changed):
    parts = {
        name: getattr(container, name)()
        for name in ("settings", "secret", "application", "db", "clock", "ids")
    }
    return Seeder(**parts | changed)


@pytest.fixture
async def container(database_url):
    container = container_for(database_url)
    yield container
    await container.db().close()


async def everything(container):
    """What one can count: shops, team, products, conversations with their messages."""
    db = container.db()
    shops = await db.read(lambda tx: tx.shops.all(), shop=SYSTEM)

    def inside(tx):
        conversations = tx.conversations.latest(100)
        tails = tx.messages.tails([one.id for one in conversations], 100)
        return (
            [(member.user_id, member.role) for member in tx.members.all()],
            [product.id for product in tx.products.all()],
            {one: [message.text for message in said] for one, said in tails.items()},
        )

    return [await db.read(inside, shop=shop.id) for shop in shops]


async def test_it_is_made_once_and_found_again(container):
    first = await seeder(container)()
    made = await everything(container)
    assert await seeder(container)() == first
    assert await everything(container) == made
    [(team, products, conversations)] = made
    assert [role for _, role in team] == [Role.OWNER, Role.SUPPORT_AGENT]
    assert len(products) == 3
    assert [len(said) for said in conversations.values()] == [2]


async def test_the_same_secret_gives_the_same_credentials_and_another_one_others(container):
    first = (await seeder(container)()).as_dict()
    elsewhere = container_for("memory://", jwt_secret=SECRET[::-1])
    other = (await seeder(elsewhere)()).as_dict()
    await elsewhere.db().close()
    secret = ("owner_password", "agent_password", "admin_key", "public_key")
    assert not [name for name in secret if first[name] == other[name]]
    assert len({first[name] for name in secret}) == len(secret)
    assert SECRET not in str(first)


async def test_its_credentials_work(container):
    demo, application = await seeder(container)(), container.application()
    for email, password in (
        (demo.owner_email, demo.owner_password),
        (demo.agent_email, demo.agent_password),
    ):
        assert (await application.identity.log_in(email=email, password=password)).user.email == email
    assert (await application.shops.find.by_public_key(demo.public_key)).id == demo.shop_id
    caller = await application.identity.authenticate(bearer=demo.admin_key, cookie=None)
    assert caller.actor.shop_id == demo.shop_id


async def test_its_pages_have_a_site_at_every_port(container):
    demo = await seeder(container)()
    assert demo.site_origin == "http://shop.localhost:8080"
    moved = container.settings().model_copy(update={"port": 8081})
    assert (await seeder(container, settings=moved)()).site_origin == "http://shop.localhost:8081"
    for host in ("localhost:8080", "shop.localhost:8080", "localhost:8081", "shop.localhost:8081"):
        place = await container.application().sites.resolve(hosts=[host])
        assert place.shop.id == demo.shop_id


async def test_processes_that_start_together_make_one(container):
    demos = await asyncio.gather(*[seeder(container)() for _ in range(4)])
    assert len({demo.shop_id for demo in demos}) == 1
    [(team, products, conversations)] = await everything(container)
    assert (len(team), len(products)) == (2, 3)
    assert [len(said) for said in conversations.values()] == [2]


class Breaks:
    """A database that is gone after so many transactions."""

    def __init__(self, db, after):
        self._db, self._left = db, after

    async def transact(self, work, *, shop):
        self._left -= 1
        if self._left < 0:
            raise DatabaseDown
        return await self._db.transact(work, shop=shop)

    def __getattr__(self, name):
        return getattr(self._db, name)


@pytest.mark.parametrize("database_url", ["memory"], indirect=True)
@pytest.mark.parametrize("steps", range(8))
async def test_what_was_cut_short_is_completed_by_the_next_attempt(container, steps):
    broken = container_for("memory://")
    broken.db.override(Breaks(container.db(), after=steps))
    with pytest.raises(DatabaseDown):
        await seeder(broken)()
    demo = await seeder(container)()
    assert await seeder(container)() == demo
    [(team, products, conversations)] = await everything(container)
    assert (len(team), len(products)) == (2, 3)
    assert [len(said) for said in conversations.values()] == [2]


async def test_a_name_that_is_taken_does_not_keep_the_server_from_starting(container):
    register = container.application().identity.register
    for username in ("Owner", "agent"):
        await register(email=f"{username}@elsewhere.example", password="correct horse", username=username)
    demo = await seeder(container)()
    assert await seeder(container)() == demo
    for email, password in (
        (demo.owner_email, demo.owner_password),
        (demo.agent_email, demo.agent_password),
    ):
        assert await container.application().identity.log_in(email=email, password=password)
    [(team, _, _)] = await everything(container)
    assert len(team) == 2


async def test_the_first_question_is_not_left_to_the_assistant(container):
    """The agent has answered it: a start must not begin with an answer to yesterday's demo."""
    demo = await seeder(container)()
    waiting = await container.db().read(lambda tx: tx.deliveries.list(), shop=SYSTEM)
    [delivery] = [delivery for delivery in waiting if delivery.subscriber == ANSWER]
    await container.application().answer(demo.shop_id, delivery.event)
    [(_, _, conversations)] = await everything(container)
    assert [len(said) for said in conversations.values()] == [2]


async def test_production_has_none(container):
    production = container.settings().model_copy(update={"env": Environment.PRODUCTION})
    with pytest.raises(NotInProduction):
        await seeder(container, settings=production)()
    assert await everything(container) == []


async def test_its_order_form_takes_an_order(container):
    demo = await seeder(container)()
    storefront = container.application().storefront
    shown = await storefront.read(shop_id=demo.shop_id)
    espresso = next(product for product in shown.products if "Espresso" in product.name)
    answers = {"Full Name": "Mara", "Phone Number": "+49 30 1234567", "Full Shipping Address": "Am Ufer 1"}
    order = await storefront.submit(
        shop_id=demo.shop_id,
        form_id=shown.forms[0].id,
        submission=Submission(answers=answers, quantities={espresso.id: 2}),
    )
    assert (order.number, order.total_minor, order.currency) == ("LCXX-0001", 2900, "EUR")
