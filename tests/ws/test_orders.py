"""Orders on the agents' sockets."""

from functools import partial

import pytest

from adapters.wire.orders import order_out, parse
from core.orders.model import OrderStatus
from tests import builders
from tests.databases import KINDS


def said(**document):
    return lambda currency, labels: parse(document, currency, labels=labels)


@pytest.fixture
def orders(stand, stage):
    """The use cases, for the shop's owner."""

    class Orders:
        def __getattr__(self, name):
            return partial(getattr(stand.application.orders, name), actor=stage.owner, shop_id=stage.shop.id)

    return Orders()


def shown(order, stage):
    return order_out(order) | {"shopId": stage.shop.id}


@pytest.mark.parametrize("database_url", KINDS, indirect=True)
@pytest.mark.parametrize("server", ["hypercorn"], indirect=True)
async def test_orders_are_told_when_placed_changed_and_deleted(stand, stage, agent, orders):
    async with stand.agent(agent, stage.shop.id) as inbox:
        order = await orders.place(read=said(**{"Full Name": "Mara"}))
        placed = await inbox.all_until(event="order:update")
        assert [frame["event"] for frame in placed] == ["notification", "order:update"]
        notice = placed[0]["data"]
        assert (notice["title"], notice["message"], notice["type"]) == (
            "New order",
            f"{order.number} from Mara",
            "info",
        )
        assert notice["data"] == {"shopId": stage.shop.id, "orderId": order.id}
        assert placed[1]["data"] == shown(order, stage)
        changed = await orders.change_status(reference=order.id, status=OrderStatus.COMPLETED)
        update = await inbox.until(event="order:update")
        assert update["data"] == shown(changed, stage)
        await orders.change_status(reference=order.id, status=OrderStatus.COMPLETED)
        await orders.delete(reference=order.id)
        gone = await inbox.all_until(event="order:deleted")
    assert gone[-1]["data"] == {"id": order.id, "shopId": stage.shop.id}
    assert len(gone) == 1, "nothing is told of a change that changes nothing"


async def test_other_shops_and_visitors_hear_nothing_of_orders(stand, stage, orders, db, clock):
    other = await builders.a_shop(db, clock)
    async with (
        stand.agent(other.owner, other.shop.id) as stranger,
        stand.visitor(stage.visitor) as page,
        stand.agent(stage.owner, stage.shop.id) as inbox,
    ):
        await orders.place(read=said(Name="Mara"))
        await inbox.until(event="order:update")
        assert await stranger.settled() == []
        assert [frame for frame in await page.settled() if "order" in str(frame)] == []


async def test_who_comes_back_sees_the_orders_that_changed_meanwhile(stand, stage, agent, orders):
    kept = await orders.place(read=said(Name="Mara"))
    doomed = await orders.place(read=said(Name="Jo"))
    position = (await stand.application.inbox.join(actor=agent, shop_id=stage.shop.id)).position
    changed = await orders.change_status(reference=kept.id, status=OrderStatus.CONFIRMED)
    new = await orders.place(read=said(Name="Ana"))
    await orders.delete(reference=doomed.id)
    async with stand.agent(agent) as inbox:
        await inbox.event("shop:join", shopId=stage.shop.id, position=position)
        missed = await inbox.all_until(event="shop:joined")
    updates = {frame["data"]["submissionId"]: frame["data"] for frame in missed if "update" in frame["event"]}
    assert updates == {changed.id: shown(changed, stage), new.id: shown(new, stage)}
    assert inbox.events("order:deleted") == [{"id": doomed.id, "shopId": stage.shop.id}]
    assert [notice["message"] for notice in inbox.events("notification")] == [f"{new.number} from Ana"]
