"""A shop ends while its pages, its people and its admins are connected by every kind of socket."""

import json

from websockets.asyncio.client import connect

from adapters.ws.socket import TRY_AGAIN_LATER
from tests.socketio.stand import until


async def test_all_sockets_of_a_deleted_shop_are_told(stand, stage):
    visitor = await stand.session(stage.shop.id)
    token = stand.container.tokens().issue_access(stage.owner).token
    bearer = {"authorization": f"Bearer {token}"}
    async with (
        stand.page(visitor) as page,
        stand.connected(await stand.admin_token(stage.shop.id)) as admin,
        connect(f"{stand.socket_url}/ws?token={token}") as agent,
        stand.http() as http,
    ):
        await agent.send(json.dumps({"event": "shop:join", "data": {"shopId": stage.shop.id}}))
        assert json.loads(await agent.recv())["event"] == "shop:joined"
        deleted = await http.delete(f"/api/shops/{stage.shop.id}", headers=bearer)
        assert deleted.status_code == 200
        assert [json.loads(await agent.recv())["event"] for _ in range(2)] == ["error", "shop:left"]
        for raw in (page, admin):
            assert await raw.closed() == TRY_AGAIN_LATER
    await until(lambda: not len(stand.service.lobby.rooms))
    async with stand.dialled() as again:
        await again.greet(stand.token(visitor))
        assert again.admitted is None
        assert again.refused["data"]["code"] == "INVALID_JWT_TOKEN"
