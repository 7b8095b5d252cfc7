"""Pushes over real TLS to a strict push service: readable by one browser, and only to public addresses."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import pytest

import adapters.providers.pinned_http  # noqa: F401 - so that no test waits for its import
from adapters.providers.public_addresses import is_public
from adapters.providers.push_memory import MemoryPushSender
from adapters.providers.push_sender import REST_SECONDS, HttpPushSender
from adapters.providers.vapid import Vapid, new_private_key, private_key
from core.kernel import Invalid
from core.notifications.pushes import Push, PushAddress, PushOutcome, Verdict
from tests.services.pushes import NAME, Browser, a_push_service, decode, encode
from tests.services.receiver import Authority, answer, receiving

TEXT = json.dumps({"title": "שלום 👋"}).encode()
PUSH = Push(text=TEXT, topic="a" * 32, ttl=timedelta(hours=24), urgency="normal")
POINT = decode("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4")
VAPID = Vapid(private_key(new_private_key()), "mailto:mara@shop.example")


class Names:
    """All names lead to these addresses."""

    def __init__(self, *addresses):
        self.addresses_, self.asked = addresses, 0

    async def addresses(self, host, port):
        self.asked += 1
        return list(self.addresses_)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def service(authority, clock):
    async with a_push_service(authority, clock) as opened:
        opened.key = VAPID.public_key
        yield opened


@pytest.fixture
async def sender(authority, clock):
    """Makes senders; by default one for which this machine passes for public."""
    made = []

    def make(names=None, **options):
        options = {"is_public": lambda address: address == "127.0.0.1" or is_public(address)} | options
        found = names or Names("127.0.0.1")
        made.append(HttpPushSender(VAPID, found, clock, tls=authority.trusted(), **options))
        return made[-1]

    yield make
    for one in made:
        await one.close()


@pytest.fixture(params=["memory", "http"])
def either(request, sender):
    return MemoryPushSender(VAPID) if request.param == "memory" else sender()


def address_of(browser):
    said = browser.subscription
    return PushAddress(endpoint=said["endpoint"], **said["keys"])


# What every sender keeps


def test_the_public_key_is_a_point_that_browsers_take(either):
    point = decode(either.public_key)
    assert (len(point), point[0]) == (65, 4)


def test_good_addresses_come_back_in_normal_form(either):
    browser = Browser("https://PUSH.example:443/send/a?b")
    good = address_of(browser)
    padded = replace(good, p256dh=good.p256dh + "=", auth=good.auth + "==")
    assert either.checked(padded) == replace(good, endpoint="https://push.example/send/a?b")


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "push",
        "http://push.example/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://push.localhost./",
        "https://0x7f.1/",
        "https://2130706433/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://169.254.169.254/latest",
        "https://10.0.0.1/",
        "https://[fd00::1]/",
        "https://user@push.example/",
        "https://push.example:22/",
        "https://push.example/#here",
        "https://push.example/\r\nX: y",
        "https://push.example/" + "a" * 2000,
        "ftp://push.example/",
        "javascript:alert(1)",
    ],
)
def test_endpoints_that_are_nowhere_public_are_refused_by_name(either, endpoint):
    with pytest.raises(Invalid) as refused:
        either.checked(replace(address_of(Browser("https://push.example/")), endpoint=endpoint))
    assert refused.value.facts["field"] == "endpoint"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("p256dh", ""),
        ("p256dh", "no base64!"),
        ("p256dh", encode(b"\4" + bytes(64))),
        ("p256dh", encode(POINT[:-1])),
        ("p256dh", encode(b"\3" + POINT[1:33])),
        ("auth", ""),
        ("auth", "é"),
        ("auth", encode(bytes(15))),
        ("auth", encode(bytes(17))),
    ],
)
def test_keys_that_nothing_can_be_encrypted_for_are_refused_by_name(either, field, value):
    with pytest.raises(Invalid) as refused:
        either.checked(replace(address_of(Browser("https://push.example/")), **{field: value}))
    assert refused.value.facts["field"] == f"keys.{field}"


async def test_every_sender_says_what_came_of_it(either, service):
    browser = service.browser("ann")
    assert (await either.send(address_of(browser), PUSH)).verdict is Verdict.DONE


# Over the wire


async def test_the_browser_reads_what_was_meant_for_it(sender, service, authority):
    browser = service.browser("ann")
    assert await sender().send(address_of(browser), PUSH) == PushOutcome(status=201)
    [received] = service.to(browser)
    assert browser.read(received.body) == TEXT
    headers = received.headers
    assert (headers["ttl"], headers["urgency"], headers["topic"]) == ("86400", "normal", "a" * 32)
    assert received.server_name == NAME
    assert "שלום".encode() not in received.body
    assert "cookie" not in headers


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, Verdict.DONE),
        (201, Verdict.DONE),
        (202, Verdict.DONE),
        (301, Verdict.REFUSED),
        (400, Verdict.REFUSED),
        (401, Verdict.REFUSED),
        (403, Verdict.REFUSED),
        (404, Verdict.GONE),
        (410, Verdict.GONE),
        (413, Verdict.TOO_LARGE),
        (429, Verdict.LATER),
        (500, Verdict.LATER),
        (503, Verdict.LATER),
    ],
)
async def test_what_an_answer_means(sender, service, status, verdict):
    browser = service.browser("ann", answer(status, b"because"))
    outcome = await sender().send(address_of(browser), PUSH)
    assert (outcome.status, outcome.verdict) == (status, verdict)


@pytest.mark.parametrize(
    ("said", "expected"),
    [("120", timedelta(minutes=2)), ("Sun, 01 Mar 2026 12:00:30 GMT", timedelta(seconds=30)), ("soon", None)],
)
async def test_how_long_a_push_service_asks_us_to_wait(sender, service, said, expected):
    browser = service.browser("ann", answer(429, retry_after=said))
    assert (await sender().send(address_of(browser), PUSH)).retry_after == expected


async def test_redirects_are_not_followed(sender, service):
    async with receiving() as inner:
        browser = service.browser("ann", answer(307, location=inner.url))
        await sender().send(address_of(browser), PUSH)
        assert inner.connections == 0


@pytest.mark.parametrize("found", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1"])
async def test_a_name_that_leads_to_us_is_refused(sender, service, found):
    strict = sender(Names("93.184.215.14", found), is_public=is_public)
    outcome = await strict.send(address_of(service.browser("ann")), PUSH)
    assert (outcome.status, outcome.verdict) == (None, Verdict.REFUSED)
    assert service.receiver.connections == 0


async def test_a_server_that_is_not_who_it_should_be_gets_nothing(sender, authority, clock):
    async with receiving(tls=authority.server("other.example")) as receiver:
        browser = Browser(f"https://{NAME}:{receiver.port}/")
        outcome = await sender().send(address_of(browser), PUSH)
        assert (outcome.verdict, receiver.received) == (Verdict.LATER, [])


async def _silence(_, writer):
    await asyncio.Event().wait()


async def test_a_push_service_that_gives_no_answer_is_left_alone_for_a_while(sender, authority, service):
    now = 0.0
    one = sender(patience=0.3, monotonic=lambda: now)
    async with receiving(_silence, tls=authority.server(NAME)) as receiver:
        silent = address_of(Browser(f"https://{NAME}:{receiver.port}/"))
        for _ in range(3):
            assert (await one.send(silent, PUSH)).verdict is Verdict.LATER
        assert receiver.connections == 1
        now = REST_SECONDS - 0.1
        await one.send(silent, PUSH)
        assert receiver.connections == 1
        now = REST_SECONDS
        await one.send(silent, PUSH)
        assert receiver.connections == 2
    assert (await one.send(address_of(service.browser("ann")), PUSH)).verdict is Verdict.DONE


async def test_a_name_without_an_address_is_tried_again_later(sender, service):
    outcome = await sender(Names()).send(address_of(service.browser("ann")), PUSH)
    assert (outcome.status, outcome.verdict) == (None, Verdict.LATER)


async def test_many_at_once_do_not_mix(sender, service):
    one, browsers = sender(), [service.browser(str(number)) for number in range(20)]
    pushes = [replace(PUSH, text=str(number).encode()) for number in range(20)]
    await asyncio.gather(
        *[one.send(address_of(browser), push) for browser, push in zip(browsers, pushes, strict=True)]
    )
    for browser, push in zip(browsers, pushes, strict=True):
        [received] = service.to(browser)
        assert browser.read(received.body) == push.text
