"""Who loses a shop loses its events at once, and keeps the socket for other shops."""

import pytest
from websockets.exceptions import InvalidStatus

from core.conversations.signals import ShopGone
from core.shops.policy import Role
from tests import builders


async def farewell(client, shop_id):
    """Why the client is out of the shop, as it is told without having asked."""
    told = await client.all_until(event="shop:left")
    assert told[-1]["data"] == {"shopId": shop_id}
    return next(frame["data"] for frame in told if frame["event"] == "error")


async def test_who_is_taken_out_of_a_team_hears_no_more_of_it(stand, stage, agent, db, clock):
    other = await builders.a_shop(db, clock, agent)
    staying = await builders.a_member(db, clock, stage.shop, Role.ADMIN)
    async with (
        stand.agent(agent, stage.shop.id, other.shop.id) as leaving,
        stand.agent(agent, stage.shop.id) as in_another_tab,
        stand.agent(staying, stage.shop.id) as colleague,
    ):
        await stand.application.team.remove(actor=stage.owner, shop_id=stage.shop.id, user_id=agent.user_id)
        for client in (leaving, in_another_tab):
            error = await farewell(client, stage.shop.id)
            assert (error["code"], error["event"], error["shopId"]) == (
                *("shop_not_found", "shop:join", stage.shop.id),
            )
        await stand.says(stage.visitor, "Who is there?")
        await colleague.until(event="message:new")
        for client in (leaving, in_another_tab):
            assert await client.settled() == []
        await stand.says(other.visitor, "And here?")
        assert (await leaving.until(event="message:new"))["data"]["shopId"] == other.shop.id
        await leaving.event("shop:join", shopId=stage.shop.id)
        assert (await leaving.until(event="error"))["data"]["code"] == "shop_not_found"
        assert colleague.events("shop:left") == []


async def test_another_role_changes_nothing_for_sockets(stand, stage, agent):
    async with stand.agent(agent, stage.shop.id) as inbox:
        await stand.application.team.change_role(
            actor=stage.owner, shop_id=stage.shop.id, user_id=agent.user_id, role=Role.ORDER_MANAGER
        )
        await stand.says(stage.visitor, "Hello")
        await inbox.until(event="message:new")
        assert inbox.events("shop:left") == []


@pytest.mark.parametrize("is_told", [True, False], ids=["told", "word of it was lost"])
async def test_when_a_shop_ends_everybody_is_sent_out(stand, stage, agent, db, clock, is_told):
    other = await builders.a_shop(db, clock, agent)
    async with (
        stand.agent(agent, stage.shop.id, other.shop.id) as inbox,
        stand.visitor(stage.visitor) as page,
        stand.visitor(other.visitor) as elsewhere,
    ):
        await stand.application.shops.delete(actor=stage.owner, shop_id=stage.shop.id)
        if is_told:
            stand.feed.signal(stage.shop.id, ShopGone())
        assert (await farewell(inbox, stage.shop.id))["code"] == "shop_not_found"
        assert await page.closed() == 1008
        await stand.says(other.visitor, "Still here")
        await inbox.until(event="message:new")
        await elsewhere.until(type="message")
    with pytest.raises(InvalidStatus) as refused:
        async with stand.visitor(stage.visitor):
            pass
    assert refused.value.response.status_code == 401
