"""Webhooks by real processes: the operator's commands, and a server that is killed while it sends."""

import asyncio
import json
import random

import httpx2
import pytest
from standardwebhooks import Webhook

from tests.services.receiver import OK, answer, receiving
from tests.system.commands import complaint, parley
from tests.system.people import a_visitor, eventually
from tests.system.processes import ParleyProcess, environment, free_port, serving

KILLS = 4
PER_KILL = 25


@pytest.fixture
def env(shop):
    return environment(shop.url, PARLEY_WEBHOOKS_ALLOW_PRIVATE="true", PARLEY_LEASE="2", COLUMNS="100")


def by_key(demo):
    return {"Authorization": f"Bearer {demo['admin_key']}"}


async def a_webhook(client, process, demo, url):
    """Made by the shop's own server; returns it with its secret."""
    path = f"{process.url}/api/shops/{demo['shop_id']}/webhooks"
    made = await client.post(path, headers=by_key(demo), json={"url": url})
    assert made.status_code == 201, made.text
    return made.json()["data"]


def listed(env, shop_id, *options):
    lines = parley("webhooks", "deliveries", shop_id, "--json", *options, env=env).splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture
async def client():
    async with httpx2.AsyncClient(timeout=10) as opened:
        yield opened


async def test_what_was_given_up_is_seen_and_replayed_by_the_operator(shop, env, client, tmp_path):
    process, shop_id = ParleyProcess(env, tmp_path / "server.log"), shop.demo["shop_id"]
    async with receiving(answer(410, b"[red]moved[/]"), OK) as receiver:
        with serving(process):
            made = await a_webhook(client, process, shop.demo, receiver.url)
            visitor = await a_visitor(client, process, shop.demo)
            await visitor.says(process, "is this thing on?")
            await eventually(lambda: is_given_up(env, shop_id))
            table = parley("webhooks", "list", shop_id, env=env)
            assert made["id"] in table
            assert "off: gone" in table
            assert "whsec_" not in table
            refused = complaint("webhooks", "replay", shop_id, "--all-failed", env=env)
            assert "switched off" in refused
            other = await a_webhook(client, process, shop.demo, f"http://127.0.0.1:{free_port()}/none")
            await fail_once(client, process, shop.demo, other)
            await eventually(lambda: is_given_up(env, shop_id, "--webhook", other["id"]))
            once = parley("webhooks", "replay", shop_id, "--all-failed", env=env)
            assert once == "1 delivery is due again.\n"
            await switch_on(client, process, shop.demo, made)
            assert "due again" in parley("webhooks", "replay", shop_id, "--all-failed", env=env)
            received = await receiver.until(2)
            assert {one.headers["webhook-id"] for one in received} >= {
                entry["id"] for entry in listed(env, shop_id, "--webhook", made["id"])
            }
    shown = parley("webhooks", "deliveries", shop_id, env=env)
    assert all(entry["id"] in shown for entry in listed(env, shop_id))
    for one in receiver.received:
        assert Webhook(made["secret"]).verify(one.body, one.headers)["type"] == "message.created"


async def is_given_up(env, shop_id, *options):
    return bool(await asyncio.to_thread(listed, env, shop_id, "--status", "failed", *options))


async def fail_once(client, process, demo, made):
    path = f"{process.url}/api/shops/{demo['shop_id']}/webhooks/{made['id']}/test"
    assert (await client.post(path, headers=by_key(demo))).status_code == 202


async def switch_on(client, process, demo, made):
    path = f"{process.url}/api/shops/{demo['shop_id']}/webhooks/{made['id']}"
    changed = await client.put(path, headers=by_key(demo), json={"isActive": True})
    assert changed.json()["data"]["isActive"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("list", "unknown"), "There is no shop unknown."),
        (("deliveries", "{shop_id}", "--webhook", "unknown"), "Webhook not found"),
        (("replay", "{shop_id}"), "Name deliveries, or say --all-failed."),
        (("replay", "{shop_id}", "unknown"), "Delivery not found"),
        (("replay", "{shop_id}", "x", "--all-failed"), "Name deliveries, or say --all-failed."),
    ],
)
def test_what_can_not_be_is_told_in_a_sentence(shop, env, words, sentence):
    words = [word.format(shop_id=shop.demo["shop_id"]) for word in words]
    assert complaint("webhooks", *words, env=env).startswith(sentence)


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_a_server_killed_while_it_sends_loses_nothing_and_repeats_by_the_same_id(
    shop, env, client, tmp_path
):
    process, chance = ParleyProcess(env, tmp_path / "server.log"), random.Random(7)

    async def takes_its_time(_, writer):
        await asyncio.sleep(chance.uniform(0, 0.05))
        writer.write(OK)

    async with receiving(takes_its_time) as receiver:
        with serving(process):
            made = await a_webhook(client, process, shop.demo, receiver.url)
            visitor = await a_visitor(client, process, shop.demo)
            said = []
            for kill in range(KILLS):
                for number in range(PER_KILL):
                    said.append(f"{kill}-{number}")
                    await visitor.says(process, said[-1])
                await receiver.until(len(receiver.received) + chance.randint(1, 8))
                process.kill()
                await asyncio.to_thread(process.start)
            await eventually(lambda: all_told(receiver, said))
    by_id = {}
    for one in receiver.received:
        data = Webhook(made["secret"]).verify(one.body, one.headers)["data"]
        assert by_id.setdefault(one.headers["webhook-id"], data) == data
    texts = [data["text"] for data in by_id.values() if data["senderType"] == "user"]
    assert sorted(texts) == sorted(said), "each under one id, however often it came"


async def all_told(receiver, said):
    return set(said) <= {json.loads(one.body)["data"]["text"] for one in receiver.received}
