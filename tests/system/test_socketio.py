"""The widget's own client against servers that are stopped and killed."""

import asyncio
import secrets

import httpx2
import pytest

from tests.socketio.pages import running
from tests.system.processes import ParleyProcess, environment, serving

GONE_WITHIN = 30.0


async def begin(client, process, demo, key=None):
    """What the widget's page is told when it begins; with the admin key, what an admin's is told."""
    answer = await client.post(
        f"{process.url}/webchat/init",
        json={"sessionId": f"session-1700000000000-{secrets.token_hex(12)}", "tenantId": demo["shop_id"]},
        headers={"Authorization": f"Bearer {key}"} if key else {},
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.slow
@pytest.mark.parametrize("server", ["hypercorn", "uvicorn"])
async def test_pages_come_back_by_themselves_after_a_restart_and_no_log_holds_their_token(
    shop, tmp_path, widget_client, server
):
    env = environment(shop.url, PARLEY_ASSISTANT="off", PARLEY_SERVER=server, PARLEY_LOG_LEVEL="DEBUG")
    process = ParleyProcess(env, tmp_path / "log")
    with serving(process):
        async with httpx2.AsyncClient(timeout=20) as client, running(widget_client) as pages:
            told = await begin(client, process, shop.demo)
            page = pages.page("a")
            await page.open(process.url, told["ws_token"], join=told["session_id"])
            await page.until("connect")
            assert (await page.ask("message", {"text": "Hello"}))["ok"]
            assert process.stop() < 10
            assert await page.until("disconnect") == ["transport close"]
            process.start()
            await page.until("connect")
            await page.until("conversation:created")
            assert (await page.ask("message", {"text": "Hello again"}))["ok"]
            assert page.texts() == ["Hello", "Hello again"]
        assert told["ws_token"] not in process.whole_log()
        assert told["session_id"] not in process.whole_log()


@pytest.mark.slow
@pytest.mark.timeout(150)
async def test_a_killed_process_leaves_nobody_online(postgres_shop, redis_server, tmp_path, widget_client):
    env = environment(postgres_shop.url, PARLEY_ASSISTANT="off", PARLEY_BUS=redis_server.url)
    key = postgres_shop.demo["admin_key"]
    one, other = (ParleyProcess(env, tmp_path / f"log{n}") for n in range(2))
    with serving(one, other):
        async with httpx2.AsyncClient(timeout=20) as client, running(widget_client) as pages:
            watching, page = pages.page("admin"), pages.page("a")
            told = await begin(client, one, postgres_shop.demo, key)
            await watching.open(one.url, told["ws_token"])
            await watching.until("connect")
            visit = await begin(client, other, postgres_shop.demo)
            await page.open(other.url, visit["ws_token"], join=visit["session_id"])
            [came] = await watching.until("user_online")
            assert came["sessionId"] == visit["session_id"]
            other.kill()
            async with asyncio.timeout(GONE_WITHIN):
                [went] = await watching.until("user_offline")
            assert went["sessionId"] == visit["session_id"]
            answer = await client.get(
                f"{one.url}/api/webchat/online-users", headers={"Authorization": f"Bearer {key}"}
            )
            assert answer.json() == {"users": []}
