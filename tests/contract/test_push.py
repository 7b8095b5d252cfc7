"""Pushes, on every database: who is told, once, and what becomes of browsers that are no more."""

import asyncio
import json
from datetime import timedelta

import pytest

from adapters.providers.fernet import FernetCipher
from adapters.providers.push_memory import MemoryPushSender
from adapters.providers.vapid import Vapid, new_private_key, private_key
from bootstrap.relay import Relay
from bootstrap.subscribers import PUSH
from core.conversations.events import AgentsNotified, AnswerDue
from core.identity.errors import NotSignedIn
from core.identity.model import Login
from core.identity.use_cases import LogOut
from core.kernel import UserActor
from core.notifications.events import PushDue
from core.notifications.model import READERS
from core.notifications.pushes import (
    FITS,
    KEPT_FOR,
    REFUSALS_BORNE,
    SHORT,
    SUBSCRIPTIONS_KEPT,
    TRIES,
    PushAddress,
    PushOutcome,
)
from core.notifications.pushing import NO_PLACE, PLACES, ROUND, PushNotification
from core.notifications.subscribing import SubscribeToPushes, UnsubscribeFromPushes
from core.notifications.use_cases import DeleteNotifications, ReadNotifications
from core.shops.policy import Role
from core.shops.team import take_out
from ports.db import SYSTEM
from tests.builders import a_member, a_shop, a_user, ids
from tests.services.pushes import Browser

CIPHER = FernetCipher(["a key that only these tests know"])
LEASE = timedelta(minutes=1)


@pytest.fixture
def subscriptions():
    return {AnswerDue: ["assistant.answer"], PushDue: [PUSH]}


@pytest.fixture
async def stage(db, clock):
    return await a_shop(db, clock)


@pytest.fixture
def sender():
    return MemoryPushSender(Vapid(private_key(new_private_key()), "https://shop.example"))


@pytest.fixture
def relay(db, clock, sender):
    send = PushNotification(db, clock, CIPHER, sender)
    return Relay(db, {PUSH: send}, clock, LEASE)


@pytest.fixture
def subscribe(db, clock, sender):
    """Subscribes a browser, and returns its id."""
    use_case = SubscribeToPushes(db, clock, ids, CIPHER, sender)

    async def subscribe(actor, name, **more):
        endpoint = f"https://push.example/{name}"
        keys = Browser(endpoint).subscription["keys"]
        return await use_case(actor=actor, address=PushAddress(endpoint=endpoint, **keys), **more)

    return subscribe


@pytest.fixture
def tell(db):
    """Tells a shop's people something; returns the id of the notification."""

    async def tell(stage, title="Look", **facts):
        said = {"message": "Here", "level": "info", "conversation_id": None} | facts
        notice = AgentsNotified(title=title, **said)
        await db.transact(lambda tx: tx.record(notice), shop=stage.shop.id)
        return (await db.read(lambda tx: tx.stream.after(0, 1_000), shop=stage.shop.id))[-1].id

    return tell


@pytest.fixture
def got(sender):
    """The names of the browsers that pushes went to, sorted, since it was asked last."""

    def read():
        names = sorted(address.endpoint.rpartition("/")[2] for address, _ in sender.sent)
        sender.sent.clear()
        return names

    return read


@pytest.fixture
def waiting(db):
    async def count():
        return len(await db.read(lambda tx: tx.deliveries.list(), shop=SYSTEM))

    return count


def says(sender, *outcomes):
    """What the sender answers in turn, the last for ever."""
    left = list(outcomes)
    sender.answers = lambda *_: left.pop(0) if len(left) > 1 else left[0]


# Who is told


async def test_every_browser_of_those_who_may_see_it_is_told_once(
    db, clock, stage, relay, subscribe, tell, got, sender, waiting
):
    agent = await a_member(db, clock, stage.shop)
    stranger = (await a_shop(db, clock)).owner
    for actor, name in ((stage.owner, "a"), (stage.owner, "b"), (agent, "c"), (stranger, "d")):
        await subscribe(actor, name)
    id = await tell(stage, "New order", message="Mara, 12.90", order_id="o", action_url="/orders/o")
    await relay.run_due()
    [_, (_, push), _] = sender.sent
    assert json.loads(push.text) == {
        "title": "New order",
        "body": "Mara, 12.90",
        "tag": id,
        "data": {"url": "/orders/o", "id": id, "shopId": stage.shop.id},
    }
    assert (push.ttl, push.urgency, len(push.topic)) == (KEPT_FOR, "normal", 32)
    assert got() == ["a", "b", "c"]
    assert await waiting() == 0


async def test_exactly_the_roles_that_may_see_it_are_told(db, clock, stage, relay, subscribe, tell, got):
    others = set(Role) - {Role.OWNER}
    for role in others:
        await subscribe(await a_member(db, clock, stage.shop, role), role.value)
    await tell(stage)
    await relay.run_due()
    assert got() == sorted(READERS & others)


async def test_without_a_subscription_there_is_nothing_to_do(db, clock, stage, subscribe, tell, waiting):
    await subscribe((await a_shop(db, clock)).owner, "elsewhere")
    await tell(stage)
    assert await waiting() == 0


async def test_an_event_that_is_undone_tells_nobody(db, stage, subscribe, waiting):
    await subscribe(stage.owner, "a")

    def work(tx):
        tx.record(AgentsNotified(title="x", message="", level="info", conversation_id=None))
        raise NotSignedIn

    with pytest.raises(NotSignedIn):
        await db.transact(work, shop=stage.shop.id)
    assert await waiting() == 0


async def test_nobody_is_told_what_they_have_read_or_put_away(db, clock, stage, relay, subscribe, tell, got):
    reader, putter = await a_member(db, clock, stage.shop), await a_member(db, clock, stage.shop)
    for actor, name in ((stage.owner, "owner"), (reader, "reader"), (putter, "putter")):
        await subscribe(actor, name)
    id = await tell(stage)
    await ReadNotifications(db, clock)(actor=reader, notification_id=id)
    await DeleteNotifications(db)(actor=putter, notification_id=id)
    await relay.run_due()
    assert got() == ["owner"]


async def test_whoever_left_the_team_meanwhile_is_not_told(db, clock, stage, relay, subscribe, tell, got):
    agent = await a_member(db, clock, stage.shop)
    await subscribe(agent, "a")
    await tell(stage)
    await db.transact(lambda tx: take_out(tx, tx.members.get(agent.user_id), clock.now()), shop=stage.shop.id)
    await relay.run_due()
    assert got() == []


async def test_a_subscription_that_has_expired_is_not_used(db, clock, stage, relay, subscribe, tell, got):
    await subscribe(stage.owner, "a", expires_at=clock.now() + timedelta(hours=1))
    await tell(stage)
    clock.advance(timedelta(hours=1))
    await relay.run_due()
    assert got() == []


async def test_more_browsers_than_one_round_takes_are_all_told(db, clock, stage, relay, subscribe, tell, got):
    people = [stage.owner, *[await a_member(db, clock, stage.shop) for _ in range(2)]]
    for number in range(ROUND + 5):
        await subscribe(people[number % 3], f"{number:03}")
    await tell(stage)
    await relay.run_due()
    assert got() == [f"{number:03}" for number in range(ROUND + 5)]


# Once


async def test_a_repeated_delivery_tells_nobody_twice(db, clock, stage, subscribe, tell, got, sender):
    await subscribe(stage.owner, "a")
    due = PushDue(notification_id=await tell(stage))
    send = PushNotification(db, clock, CIPHER, sender)
    for _ in range(3):
        assert await send(stage.shop.id, due) is None
    assert got() == ["a"]


async def test_when_one_fails_the_others_are_not_told_again(
    clock, stage, relay, subscribe, tell, sender, got
):
    for name in "abc":
        await subscribe(stage.owner, name)
    await tell(stage)
    died = []

    def dies_once(address, _):
        if not died:
            died.append(address.endpoint[-1])
            raise RuntimeError("the process ends here")
        return PushOutcome(status=201)

    sender.answers = dies_once
    await relay.run_due()
    assert got() == ["a", "b", "c"]
    clock.advance(timedelta(seconds=5))
    await relay.run_due()
    assert got() == died


async def test_two_processes_at_once_note_one_outcome(db, clock, stage, subscribe, tell, sender):
    await subscribe(stage.owner, "a")
    due = PushDue(notification_id=await tell(stage))
    send = PushNotification(db, clock, CIPHER, sender)
    done = await asyncio.gather(*[send(stage.shop.id, due) for _ in range(4)])
    assert done == [None] * 4


async def test_slow_push_services_take_no_more_places_than_they_may(
    db, clock, stage, subscribe, tell, sender, got
):
    await subscribe(stage.owner, "a")
    dues = [PushDue(notification_id=await tell(stage)) for _ in range(PLACES + 2)]
    send, goes_on = PushNotification(db, clock, CIPHER, sender), asyncio.Event()
    began = []

    async def slowly(*_):
        began.append(True)
        await goes_on.wait()
        return PushOutcome(status=201)

    sender.send = slowly
    tasks = [asyncio.ensure_future(send(stage.shop.id, due)) for due in dues]
    put_off, _ = await asyncio.wait(tasks[PLACES:], timeout=10)
    assert [task.result() for task in put_off] == [clock.now() + NO_PLACE] * 2
    goes_on.set()
    assert await asyncio.gather(*tasks[:PLACES]) == [None] * PLACES
    assert len(began) == PLACES


# What push services answer


@pytest.mark.parametrize("status", [404, 410])
async def test_a_browser_that_is_no_more_is_forgotten(
    stage, relay, subscribe, tell, sender, got, waiting, status
):
    await subscribe(stage.owner, "a")
    says(sender, PushOutcome(status=status))
    await tell(stage)
    await relay.run_due()
    assert got() == ["a"]
    await tell(stage)
    assert await waiting() == 0


async def test_one_that_was_renewed_meanwhile_is_not_forgotten(
    db, clock, stage, subscribe, tell, sender, got, relay
):
    await subscribe(stage.owner, "a")
    push = (await outstanding(db, clock, stage, await tell(stage)))[0]
    await subscribe(stage.owner, "a")
    await db.transact(lambda tx: tx.push_subscriptions.drop(push), shop=SYSTEM)
    await relay.run_due()
    assert got() == ["a"]


@pytest.mark.parametrize(
    "outcome", [PushOutcome(status=429), PushOutcome(status=503), PushOutcome(error="x")]
)
async def test_what_may_pass_is_tried_again_for_a_while(
    clock, stage, relay, subscribe, tell, sender, got, waiting, outcome
):
    await subscribe(stage.owner, "a")
    says(sender, outcome)
    await tell(stage)
    await relay.run_due()
    assert got() == ["a"]
    await relay.run_due()
    assert got() == []
    for _ in range(TRIES - 1):
        clock.advance(timedelta(minutes=10))
        await relay.run_due()
    assert got() == ["a"] * (TRIES - 1)
    assert await waiting() == 0


async def test_one_that_comes_through_later_is_told_once_and_the_others_not_again(
    clock, stage, relay, subscribe, tell, sender, got
):
    for name in "ab":
        await subscribe(stage.owner, name)
    failed = []

    def answers(address, _):
        if address.endpoint.endswith("b") and not failed:
            failed.append(True)
            return PushOutcome(status=500)
        return PushOutcome(status=201)

    sender.answers = answers
    await tell(stage)
    await relay.run_due()
    assert got() == ["a", "b"]
    clock.advance(timedelta(seconds=5))
    await relay.run_due()
    assert got() == ["b"]


async def test_a_push_service_gets_the_time_that_it_asks_for(
    clock, stage, relay, subscribe, tell, sender, got
):
    await subscribe(stage.owner, "a")
    says(sender, PushOutcome(status=429, retry_after=timedelta(minutes=3)), PushOutcome(status=201))
    await tell(stage)
    await relay.run_due()
    clock.advance(timedelta(seconds=179))
    await relay.run_due()
    assert got() == ["a"]
    clock.advance(timedelta(seconds=1))
    await relay.run_due()
    assert got() == ["a"]


async def test_nobody_waits_longer_than_the_news_are_news(
    clock, stage, relay, subscribe, tell, sender, waiting
):
    await subscribe(stage.owner, "a")
    says(sender, PushOutcome(status=429, retry_after=KEPT_FOR))
    await tell(stage)
    await relay.run_due()
    assert await waiting() == 0


async def test_what_is_read_while_it_waits_for_another_try_is_not_tried(
    db, clock, stage, relay, subscribe, tell, sender, got, waiting
):
    await subscribe(stage.owner, "a")
    says(sender, PushOutcome(status=503))
    id = await tell(stage)
    await relay.run_due()
    await ReadNotifications(db, clock)(actor=stage.owner, notification_id=id)
    clock.advance(timedelta(minutes=1))
    await relay.run_due()
    assert got() == ["a"]
    assert await waiting() == 0


async def test_what_is_too_large_is_shortened_once(stage, relay, subscribe, tell, sender, waiting):
    await subscribe(stage.owner, "a")
    says(sender, PushOutcome(status=413))
    await tell(stage, message="👋" * 5_000)
    await relay.run_due()
    first, second = [push.text for _, push in sender.sent]
    assert FITS - 12 <= len(first) <= FITS
    assert SHORT - 12 <= len(second) <= SHORT
    assert json.loads(second)["body"].endswith("👋…")
    assert await waiting() == 0


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_a_browser_that_is_refused_too_often_is_given_up(
    stage, relay, subscribe, tell, sender, got, status
):
    await subscribe(stage.owner, "a")
    says(sender, PushOutcome(status=status))
    for _ in range(REFUSALS_BORNE - 1):
        await tell(stage)
        await relay.run_due()
    says(sender, PushOutcome(status=201))
    await tell(stage)
    await relay.run_due()
    assert got() == ["a"] * REFUSALS_BORNE, "each once, and a good one in between counts them anew"
    says(sender, PushOutcome(status=status))
    for _ in range(REFUSALS_BORNE + 1):
        await tell(stage)
        await relay.run_due()
    assert got() == ["a"] * REFUSALS_BORNE


async def test_what_no_key_opens_is_given_up_in_time_and_kept(db, clock, stage, subscribe, tell, sender, got):
    await subscribe(stage.owner, "a")
    due = PushDue(notification_id=await tell(stage))
    lost = PushNotification(db, clock, FernetCipher(["another key"]), sender)
    while (again := await lost(stage.shop.id, due)) is not None:
        clock.advance(again - clock.now())
    assert got() == []
    await PushNotification(db, clock, CIPHER, sender)(
        stage.shop.id, PushDue(notification_id=await tell(stage))
    )
    assert got() == ["a"]


# Subscriptions


async def outstanding(db, clock, stage, notification_id):
    return await db.read(
        lambda tx: tx.push_subscriptions.outstanding(
            stage.shop.id, notification_id, now=clock.now(), limit=100
        ),
        shop=SYSTEM,
    )


async def test_a_browser_has_one_which_is_the_last_ones_who_signed_in(
    db, clock, stage, relay, subscribe, tell, got
):
    other = await a_shop(db, clock)
    first = await subscribe(stage.owner, "a")
    assert await subscribe(stage.owner, "a") == first
    assert await subscribe(other.owner, "a") == first
    await tell(stage)
    await relay.run_due()
    assert got() == []
    await tell(other)
    await relay.run_due()
    assert got() == ["a"]
    assert await UnsubscribeFromPushes(db)(actor=stage.owner) == 0
    assert await UnsubscribeFromPushes(db)(actor=other.owner) == 1


async def test_of_many_browsers_those_renewed_last_remain(db, clock, stage, relay, subscribe, tell, got):
    for number in range(SUBSCRIPTIONS_KEPT):
        await subscribe(stage.owner, f"{number:02}")
        clock.advance(timedelta(seconds=1))
    await subscribe(stage.owner, "00")
    clock.advance(timedelta(seconds=1))
    await subscribe(stage.owner, "new")
    await tell(stage)
    await relay.run_due()
    assert got() == ["00", *[f"{number:02}" for number in range(2, SUBSCRIPTIONS_KEPT)], "new"]


async def test_many_at_once_are_no_more_than_may_be(db, stage, subscribe):
    names = [f"{number}" for number in range(SUBSCRIPTIONS_KEPT + 8)]
    await asyncio.gather(*[subscribe(stage.owner, name) for name in names])
    assert await UnsubscribeFromPushes(db)(actor=stage.owner) == SUBSCRIPTIONS_KEPT


async def test_the_same_browser_many_times_at_once_is_one(db, clock, stage, subscribe):
    people = [stage.owner, *[await a_user(db, clock) for _ in range(3)]]
    done = await asyncio.gather(*[subscribe(person, "a") for person in people * 3])
    assert len(set(done)) == 1
    assert sum([await UnsubscribeFromPushes(db)(actor=person) for person in people]) == 1


async def test_only_ones_own_are_ended(db, clock, stage, subscribe):
    other = (await a_shop(db, clock)).owner
    for actor, name in ((stage.owner, "a"), (stage.owner, "b"), (other, "c")):
        await subscribe(actor, name)
    end = UnsubscribeFromPushes(db)
    assert await end(actor=stage.owner, endpoint="https://push.example/c") == 0
    assert await end(actor=stage.owner, endpoint="https://push.example/a") == 1
    assert await end(actor=stage.owner) == 1
    assert await end(actor=other) == 1


async def test_they_end_with_the_sign_in_that_they_belong_to(db, clock, stage, relay, subscribe, tell, got):
    elsewhere = await signed_in_again(db, clock, stage.owner)
    await subscribe(stage.owner, "here")
    await subscribe(elsewhere, "there")
    await LogOut(db, clock)(login_ids={elsewhere.login_id})
    await tell(stage)
    await relay.run_due()
    assert got() == ["here"]
    with pytest.raises(NotSignedIn):
        await subscribe(elsewhere, "there")
    assert await UnsubscribeFromPushes(db)(actor=stage.owner) == 1


async def test_a_sign_in_that_ran_out_ends_them_too(db, clock, stage, relay, subscribe, tell, got):
    await subscribe(stage.owner, "a")
    clock.advance(timedelta(days=30))
    await tell(stage)
    await relay.run_due()
    assert got() == []
    assert await db.transact(lambda tx: tx.push_subscriptions.prune(clock.now()), shop=SYSTEM) == 1
    assert await db.transact(lambda tx: tx.push_subscriptions.prune(clock.now()), shop=SYSTEM) == 0


async def test_what_is_noted_of_pushes_is_forgotten_and_nothing_else(
    db, clock, stage, relay, subscribe, tell, got
):
    await subscribe(stage.owner, "a")
    id = await tell(stage)
    await relay.run_due()
    assert await outstanding(db, clock, stage, id) == []
    assert await db.transact(lambda tx: tx.push_subscriptions.prune(clock.now()), shop=SYSTEM) == 0
    assert await outstanding(db, clock, stage, id) == []
    clock.advance(2 * KEPT_FOR + timedelta(seconds=1))
    assert await db.transact(lambda tx: tx.push_subscriptions.prune(clock.now()), shop=SYSTEM) == 0
    assert len(await outstanding(db, clock, stage, id)) == 1


async def test_nothing_of_an_address_is_stored_in_clear(db, clock, stage, subscribe, tell):
    await subscribe(stage.owner, "a-secret-place")
    [push] = await outstanding(db, clock, stage, await tell(stage))
    assert "secret" not in repr(push).replace("sealed", "")
    [(digest, sealed)] = await db.read(lambda tx: tx.push_subscriptions.sealed(), shop=SYSTEM)
    assert sealed.startswith("gAAAA")
    assert (digest, sealed) == (push.digest, push.sealed)


async def test_a_renewed_one_is_not_sealed_back(db, clock, stage, subscribe):
    await subscribe(stage.owner, "a")
    [(digest, old)] = await db.read(lambda tx: tx.push_subscriptions.sealed(), shop=SYSTEM)
    await subscribe(stage.owner, "a")
    await db.transact(lambda tx: tx.push_subscriptions.reseal(digest, old=old, new="x"), shop=SYSTEM)
    [(_, now)] = await db.read(lambda tx: tx.push_subscriptions.sealed(), shop=SYSTEM)
    assert now not in {old, "x"}


async def signed_in_again(db, clock, actor):
    login = Login.start(id=ids.new(), user_id=actor.user_id, now=clock.now(), lifetime=timedelta(days=30))
    await db.transact(lambda tx: tx.logins.add(login), shop=SYSTEM)
    return UserActor(actor.user_id, login.id)
