"""What docs/webhooks.md tells receivers to do works on what they are really sent."""

import json
import re
import shutil
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.providers.resolver import SystemResolver
from adapters.providers.webhook_sender import HttpWebhookSender
from adapters.wire.webhook_bodies import Envelope, MessageData
from core.webhooks.model import PAUSES, new_secret
from tests.services.receiver import receiving

DOCUMENT = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()
SECRET, OLDER, FOREIGN = (new_secret(name) for name in ("one", "older", "foreign"))


def block(language):
    [code] = re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)
    return code


def by_python(secret, headers, body):
    names = {}
    exec(block("python"), names)
    return names["is_genuine"](secret, headers, body)


def by_node(secret, headers, body):
    given = json.dumps([secret, headers, body.decode()])
    call = f"const [s, h, b] = {given}; process.stdout.write(String(isGenuine(s, h, Buffer.from(b))));"
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node: no node on the PATH")
    command = [node, "--input-type=module", "-e", block("js") + call]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout == "true"


@pytest.fixture(params=[by_python, by_node])
def is_genuine(request):
    return request.param


@pytest.fixture
async def received():
    sender = HttpWebhookSender(SystemResolver(), allows_private=True)
    async with receiving() as receiver:
        body = json.dumps({"text": "שלום"}, ensure_ascii=False)
        await sender.send(receiver.url, id="msg_1", at=datetime.now(UTC), body=body, secrets=(SECRET, OLDER))
    await sender.close()
    return receiver.received[0]


def test_what_parley_sent_is_genuine_by_either_secret(is_genuine, received):
    assert is_genuine(SECRET, received.headers, received.body)
    assert is_genuine(OLDER, received.headers, received.body)


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-id": "msg_2"},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": "v2,AAAA v1a,AAAA"},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": str(int(time.time()) - 301)},
        {"webhook-timestamp": str(int(time.time()) + 600)},
    ],
)
def test_anything_else_is_not(is_genuine, received, changed):
    assert not is_genuine(SECRET, received.headers | changed, received.body)


def test_nor_is_another_body_or_secret_or_a_missing_header(is_genuine, received):
    assert not is_genuine(SECRET, received.headers, received.body + b" ")
    assert not is_genuine(FOREIGN, received.headers, received.body)
    for missing in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        headers = {name: value for name, value in received.headers.items() if name != missing}
        assert not is_genuine(SECRET, headers, received.body)


async def test_what_was_sent_long_ago_is_not(is_genuine):
    sender = HttpWebhookSender(SystemResolver(), allows_private=True)
    async with receiving() as receiver:
        at = datetime.now(UTC) - timedelta(seconds=301)
        await sender.send(receiver.url, id="msg_1", at=at, body="{}", secrets=(SECRET,))
    await sender.close()
    [received] = receiver.received
    assert not is_genuine(SECRET, received.headers, received.body)


def test_the_example_has_the_fields_that_are_sent():
    example = json.loads(block("json"))
    assert set(example) == set(Envelope.__struct_encode_fields__)
    assert list(example["data"]) == list(MessageData.__struct_encode_fields__)


def test_the_table_of_tries_is_the_schedule():
    [row] = re.findall(r"^\| after \|(.*)\|$", DOCUMENT, re.MULTILINE)
    units = {"s": "seconds", "min": "minutes", "h": "hours"}
    told = [cell.split() for cell in row.split("|")]
    assert [timedelta(**{units[unit]: int(number)}) for number, unit in told] == list(PAUSES)
