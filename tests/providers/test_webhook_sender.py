"""Webhooks over real connections: signed, to exactly the address that was looked up, with little patience."""

import asyncio
import base64
import hashlib
import hmac
import json
import socket
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

import adapters.providers.pinned_http  # noqa: F401 - so that no test waits for its import
from adapters.providers.public_addresses import is_public
from adapters.providers.resolver import SystemResolver
from adapters.providers.webhook_sender import HttpWebhookSender
from core.kernel import Invalid
from core.webhooks.model import new_secret
from tests.services.receiver import OK, Authority, answer, receiving

SECRET, OLDER = new_secret("one"), new_secret("another")
BODY = json.dumps({"type": "message.created", "data": {"text": "שלום 👋"}}, ensure_ascii=False)
PUBLIC = "93.184.215.14"


def is_public_or_test(address):
    """The address of a test's server passes for public: really public ones can't be called here."""
    return address == "127.0.0.1" or is_public(address)


STRICT = {"allows_private": False, "is_public": is_public_or_test}
"""As in production."""


class Names:
    """Answers look-ups in turn, the last answer for ever, and counts them."""

    def __init__(self, *answers):
        self.answers, self.asked = answers, []

    async def addresses(self, host, port):
        self.asked.append((host, port))
        found = self.answers[min(len(self.asked), len(self.answers)) - 1]
        if isinstance(found, Exception):
            raise found
        return found


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def sender():
    """Makes senders; by default one for development, which may call this machine."""
    made = []

    def make(names=None, *, allows_private=True, **options):
        made.append(HttpWebhookSender(names or SystemResolver(), allows_private=allows_private, **options))
        return made[-1]

    yield make
    for one in made:
        await one.close()


def send(sender, url, *, body=BODY, secrets=(SECRET,), at=None):
    return sender.send(url, id="msg_1", at=at or datetime.now(UTC), body=body, secrets=secrets)


# Signatures


async def test_what_is_received_verifies_by_the_librarys_own_verifier(sender):
    async with receiving() as receiver:
        outcome = await send(sender(), receiver.url)
    assert outcome.is_success
    [received] = receiver.received
    assert Webhook(SECRET).verify(received.body, received.headers) == json.loads(BODY)
    assert received.headers["webhook-id"] == "msg_1"
    assert (received.method, received.target) == ("POST", "/hook")
    assert received.headers["content-type"] == "application/json"
    assert received.body == BODY.encode()


async def test_what_is_received_verifies_by_the_words_of_the_standard(sender):
    async with receiving() as receiver:
        await send(sender(), receiver.url)
    [received] = receiver.received
    signed = (
        f"{received.headers['webhook-id']}.{received.headers['webhook-timestamp']}.".encode() + received.body
    )
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    assert 24 <= len(key) <= 64
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert received.headers["webhook-signature"] == f"v1,{expected}"


async def test_both_secrets_sign_while_both_are_good(sender):
    async with receiving() as receiver:
        await send(sender(), receiver.url, secrets=(SECRET, OLDER))
    [received] = receiver.received
    for secret in (SECRET, OLDER):
        Webhook(secret).verify(received.body, received.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret("a third")).verify(received.body, received.headers)


async def test_the_timestamp_is_that_of_the_try(sender):
    at = datetime.now(UTC) - timedelta(seconds=7)
    async with receiving() as receiver:
        await send(sender(), receiver.url, at=at)
    assert receiver.received[0].headers["webhook-timestamp"] == str(int(at.timestamp()))


# To the address that was looked up, and to the name's own server


async def test_tls_is_for_the_name_and_the_connection_to_its_address(sender, authority):
    names = Names(["127.0.0.1"])
    async with receiving(tls=authority.server("shop.example")) as receiver:
        url = f"https://shop.example:{receiver.port}/hook?from=parley"
        outcome = await send(sender(names, **STRICT, tls=authority.trusted()), url)
    assert (outcome.status, outcome.error) == (204, None)
    [received] = receiver.received
    assert received.server_name == "shop.example"
    assert received.headers["host"] == f"shop.example:{receiver.port}"
    assert received.target == "/hook?from=parley"
    assert names.asked == [("shop.example", receiver.port)]


@pytest.mark.parametrize("names", [["other.example"], ["127.0.0.1"], ["*.shop.example"]])
async def test_a_certificate_for_another_name_is_refused(sender, authority, names):
    async with receiving(tls=authority.server(*names)) as receiver:
        url = f"https://shop.example:{receiver.port}/"
        tls = authority.trusted()
        outcome = await send(sender(Names(["127.0.0.1"]), **STRICT, tls=tls), url)
    assert outcome.status is None
    assert "shop.example" in outcome.error
    assert receiver.received == []


async def test_a_certificate_that_has_ended_is_refused(sender, authority):
    async with receiving(tls=authority.server("shop.example", ended=True)) as receiver:
        url = f"https://shop.example:{receiver.port}/"
        outcome = await send(sender(Names(["127.0.0.1"]), tls=authority.trusted()), url)
    assert "expired" in outcome.error


async def test_an_authority_that_this_machine_does_not_trust_is_refused(sender, authority):
    async with receiving(tls=authority.server("shop.example")) as receiver:
        outcome = await send(sender(Names(["127.0.0.1"])), f"https://shop.example:{receiver.port}/")
    assert "CERTIFICATE_VERIFY_FAILED" in outcome.error
    assert receiver.received == []


async def test_a_name_that_changes_its_address_is_looked_up_once(sender, authority):
    """Rebinding: good at the first look-up, ours at the next."""
    names = Names(["127.0.0.1"], ["10.0.0.1"])
    async with receiving(tls=authority.server("shop.example")) as receiver:
        url = f"https://shop.example:{receiver.port}/"
        outcome = await send(sender(names, **STRICT, tls=authority.trusted()), url)
    assert outcome.is_success
    assert len(names.asked) == 1


async def test_a_public_address_first_and_ours_afterwards_never_reaches_us(sender):
    names = Names(["127.0.0.2"], ["127.0.0.1"])
    async with receiving() as receiver:
        strict = sender(names, allows_private=False, is_public=lambda address: address == "127.0.0.2")
        outcome = await send(strict, f"https://shop.example:{receiver.port}/")
    assert outcome.status is None
    assert len(names.asked) == 1
    assert receiver.connections == 0


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        [PUBLIC, "127.0.0.1"],
        ["::1"],
        ["169.254.169.254"],
        ["::ffff:10.0.0.1"],
        ["64:ff9b::a00:1"],
    ],
)
async def test_a_name_with_any_address_that_is_not_public_is_refused(sender, addresses):
    async with receiving() as receiver:
        outcome = await send(
            sender(Names(addresses), allows_private=False), f"https://shop.example:{receiver.port}/"
        )
    assert outcome.error == "the host's name leads to an address that is not public"
    assert receiver.connections == 0


@pytest.mark.parametrize("found", [[], socket.gaierror(-2, "Name or service not known"), UnicodeError()])
async def test_a_name_without_an_address_is_told(sender, found):
    outcome = await send(sender(Names(found)), "https://shop.example/")
    assert outcome.error == "the host's name has no address"


async def test_http_stays_on_this_machine_even_in_development(sender):
    outcome = await send(sender(Names([PUBLIC])), "http://shop.example/")
    assert outcome.error == "what leaves this machine must be sent by https"


async def test_the_next_address_is_tried_when_one_can_not_be_connected_to(sender):
    async with receiving() as receiver:
        names = Names(["127.0.0.2", "127.0.0.1"])
        outcome = await send(sender(names), f"http://shop.example:{receiver.port}/")
    assert outcome.is_success
    assert len(names.asked) == 1


async def test_names_are_looked_up_by_this_machine(sender):
    async with receiving() as receiver:
        outcome = await send(sender(), f"http://localhost:{receiver.port}/")
    assert outcome.is_success
    with pytest.raises(OSError, match=r"."):
        await SystemResolver().addresses("no-such-name.invalid", 443)


# Answers


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(sender, status):
    async with receiving() as inner:
        async with receiving(answer(status, location=inner.url)) as receiver:
            outcome = await send(sender(), receiver.url)
        assert (outcome.status, outcome.is_success) == (status, False)
        assert outcome.error == "redirects are not followed"
        assert inner.connections == 0


@pytest.mark.parametrize("status", [400, 404, 410, 429, 500, 503])
async def test_any_other_answer_is_a_failure(sender, status):
    async with receiving(answer(status, b"no")) as receiver:
        outcome = await send(sender(), receiver.url)
    assert (outcome.status, outcome.answer, outcome.is_success) == (status, "no", False)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_every_2xx_is_a_success(sender, status):
    async with receiving(answer(status)) as receiver:
        assert (await send(sender(), receiver.url)).is_success


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("120", timedelta(minutes=2)),
        ("0", timedelta(0)),
        ("Fri, 20 Nov 2026 12:00:30 GMT", timedelta(seconds=30)),
        ("Fri, 20 Nov 2026 11:00:00 GMT", timedelta(0)),
        ("-5", None),
        ("soon", None),
        ("9" * 40, None),
        ("", None),
    ],
)
async def test_how_long_a_receiver_asks_us_to_wait(sender, said, expected):
    at = datetime(2026, 11, 20, 12, tzinfo=UTC)
    async with receiving(answer(429, retry_after=said)) as receiver:
        assert (await send(sender(), receiver.url, at=at)).retry_after == expected


async def test_of_an_answer_the_beginning_is_kept_as_plain_text(sender):
    body = b"<b>\x00caf\xc3\xa9 \xff\x1b[31m" + b"x" * 5_000
    async with receiving(answer(500, body)) as receiver:
        outcome = await send(sender(), receiver.url)
    assert outcome.answer.startswith("<b>café �[31mxxx")
    assert len(outcome.answer) == 1024


async def test_of_an_endless_answer_no_more_than_64_kb_is_read(sender):
    written = 0

    async def flood(_, writer):
        nonlocal written
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()
            written += 65_536

    async with receiving(flood) as receiver:
        outcome = await asyncio.wait_for(send(sender(), receiver.url), 10)
    assert outcome.is_success
    assert written < 20_000_000, "more than what the sockets in between hold"


async def test_a_packed_answer_is_not_unpacked(sender):
    async with receiving(answer(200, b"\x1f\x8b\x08 not really", content_encoding="gzip")) as receiver:
        outcome = await send(sender(), receiver.url)
    assert outcome.is_success
    assert "not really" in outcome.answer
    assert receiver.received[0].headers["accept-encoding"] == "identity"


async def test_cookies_are_not_kept(sender):
    one = sender()
    async with receiving(answer(200, set_cookie="a=b; Path=/")) as receiver:
        for _ in range(3):
            await send(one, receiver.url)
    assert [received.headers.get("cookie") for received in receiver.received] == [None] * 3


async def test_connections_are_not_shared_not_even_by_names_of_one_address(sender):
    """Whose certificate was checked for one name is not trusted with what is for another."""

    async def stays_open(_, writer):
        writer.write(answer(200))
        await asyncio.Event().wait()

    one = sender(Names(["127.0.0.1"]), patience=5)
    async with receiving(stays_open) as receiver:
        for name in ("one.example", "two.example"):
            assert (await send(one, f"http://{name}:{receiver.port}/")).is_success
        assert receiver.connections == 2


async def test_proxies_of_the_environment_are_not_used(sender, monkeypatch):
    async with receiving() as proxy, receiving() as receiver:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert (await send(sender(), receiver.url)).is_success
        assert proxy.connections == 0


async def _nothing(_, writer):
    await asyncio.Event().wait()


async def _hang_up(_, writer):
    writer.transport.abort()


async def _status_and_then_nothing(_, writer):
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nso far")
    await asyncio.Event().wait()


async def _drip(_, writer):
    writer.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(1_000):
        writer.write(f"X-{number}: y\r\n".encode())
        await writer.drain()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("says", [_nothing, _drip], ids=["nothing", "drip"])
async def test_a_receiver_has_so_long_to_answer_and_no_longer(sender, says):
    async with receiving(says) as receiver:
        outcome = await asyncio.wait_for(send(sender(patience=0.3), receiver.url), 5)
    assert (outcome.status, outcome.error) == (None, "no answer within 0.3 seconds")
    assert 250 <= outcome.duration_ms < 5_000


async def test_a_status_counts_even_if_the_rest_never_comes(sender):
    async with receiving(_status_and_then_nothing) as receiver:
        outcome = await asyncio.wait_for(send(sender(patience=0.3), receiver.url), 5)
    assert (outcome.status, outcome.answer, outcome.is_success) == (200, "so far", True)


@pytest.mark.parametrize("says", [_hang_up, b"SSH-2.0-OpenSSH_9.2\r\n", b"", b"HTTP/1.1 \xff\r\n\r\n"])
async def test_what_is_no_answer_is_a_failure_that_is_told(sender, says):
    async with receiving(says) as receiver:
        outcome = await asyncio.wait_for(send(sender(), receiver.url), 5)
    assert outcome.status is None
    assert outcome.error


async def test_a_closed_port_is_a_failure_that_is_told(sender):
    async with receiving() as receiver:
        pass
    outcome = await send(sender(), receiver.url)
    assert outcome.status is None
    assert "Connect" in outcome.error


async def test_many_at_once_do_not_mix(sender):
    one = sender()
    async with receiving(OK) as receiver:
        await asyncio.gather(*[send(one, f"{receiver.url}?{n}", body=f'{{"n":{n}}}') for n in range(30)])
    assert sorted(r.target for r in receiver.received) == sorted(f"/hook?{n}" for n in range(30))
    assert all(json.loads(r.body)["n"] == int(r.target.partition("?")[2]) for r in receiver.received)


def test_an_address_is_checked_when_it_is_named(sender):
    assert sender(allows_private=False).checked("https://Shop.Example:443") == "https://shop.example/"
    with pytest.raises(Invalid):
        sender(allows_private=False).checked("http://shop.example/")
