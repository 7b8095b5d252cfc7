"""Sessions that a browser made, and visitors whom their shop vouches for, on every database."""

import asyncio
import hashlib
import hmac
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet

from adapters.providers.fernet import FernetCipher
from adapters.providers.proofs import HmacProofs
from core.conversations.errors import SessionNotFound
from core.conversations.messages import Draft
from core.conversations.visitor import PostCustomerMessage, ReadThread
from core.kernel import Forbidden
from core.outages import SecretUnreadable
from core.shops.policy import Role
from core.visits.errors import IdentityNotProved, NoIdentitySecret
from core.visits.identity import ReadIdentitySecret, RotateIdentitySecret, Vouching
from core.visits.use_cases import EnterSession, FindSession
from ports.db import SYSTEM
from ports.proofs import Proof
from tests.builders import a_member, a_shop, ids

SESSIONS = [f"session-1700000000000-{n}abcdefghijklmnopqrst" for n in range(9)]
LAPTOP, PHONE, THIRD = SESSIONS[:3]


class Shop:
    """A shop, with the use cases of its visitors and a server that vouches for some."""

    def __init__(self, db, clock, stage, cipher):
        self.db, self.stage, self.shop_id, self.clock = db, stage, stage.shop.id, clock
        self.cipher = cipher
        self.enter_session = EnterSession(db, clock, ids, Vouching(db, clock, cipher, HmacProofs()))
        self.post = PostCustomerMessage(db, clock, ids)
        self.thread = ReadThread(db)
        self.secret = None

    async def rotate(self):
        rotate = RotateIdentitySecret(self.db, self.clock, ids, self.cipher)
        self.secret = await rotate(actor=self.stage.owner, shop_id=self.shop_id)
        return self.secret

    def proof(self, user_id, secret=None):
        key = (secret or self.secret).encode()
        return Proof(user_id=user_id, user_hash=hmac.new(key, user_id.encode(), hashlib.sha256).hexdigest())

    async def enter(self, session, user_id=None, **more):
        proof = self.proof(user_id) if user_id else None
        return await self.enter_session(shop_id=self.shop_id, session_id=session, proof=proof, **more)

    async def say(self, session, text, temp_id=None):
        visitor = (await self.enter(session)).visitor
        return await self.post(visitor=visitor, draft=Draft(text=text, client_id=temp_id))

    async def texts(self, session):
        visitor = (await self.enter(session)).visitor
        return [message.text for message in (await self.thread.of_visitor(visitor)).messages]


@pytest.fixture
def cipher():
    return FernetCipher([Fernet.generate_key().decode()])


@pytest.fixture
async def shop(db, clock, cipher):
    shop = Shop(db, clock, await a_shop(db, clock), cipher)
    await shop.rotate()
    return shop


@pytest.fixture
async def other(db, clock, cipher):
    return Shop(db, clock, await a_shop(db, clock), cipher)


async def test_a_session_is_found_again_with_what_was_said_of_it(shop):
    first = await shop.enter(LAPTOP, site_id="s1", said={"user_id": 77, "url": " https://x\u0007 "})
    again = await shop.enter(LAPTOP, said={"domain": "x"})
    assert again.visitor == first.visitor
    assert first.session.labels == {"user_id": "77", "url": "https://x"}
    assert again.session.labels == {"user_id": "77", "url": "https://x", "domain": "x"}
    assert again.session.site_id == "s1"
    assert await FindSession(shop.db)(shop_id=shop.shop_id, session_id=LAPTOP) == first.visitor


async def test_of_twenty_at_once_one_makes_the_visitor(shop):
    entered = await asyncio.gather(*[shop.enter(LAPTOP) for _ in range(20)])
    assert len({entry.visitor for entry in entered}) == 1


async def test_a_session_belongs_to_the_first_shop_that_saw_it(shop, other):
    await shop.enter(LAPTOP)
    with pytest.raises(SessionNotFound):
        await other.enter(LAPTOP)
    assert await FindSession(other.db)(shop_id=other.shop_id, session_id=LAPTOP) is None


async def test_of_two_shops_at_once_one_gets_the_session(shop, other):
    results = await asyncio.gather(shop.enter(LAPTOP), other.enter(LAPTOP), return_exceptions=True)
    assert [type(result) for result in results].count(SessionNotFound) == 1


async def test_sessions_of_a_proved_person_are_one_visitor(shop):
    laptop, phone = await shop.enter(LAPTOP, "u-7"), await shop.enter(PHONE, "u-7")
    assert laptop.visitor.visitor_id == phone.visitor.visitor_id
    await shop.say(LAPTOP, "From the laptop")
    await shop.say(PHONE, "From the phone")
    assert await shop.texts(LAPTOP) == await shop.texts(PHONE) == ["From the laptop", "From the phone"]


async def test_a_session_that_was_proved_once_stays_the_persons(shop):
    proved = await shop.enter(LAPTOP, "u-7")
    assert (await shop.enter(LAPTOP)).visitor == proved.visitor


async def test_two_browsers_of_a_person_may_use_the_same_client_id(shop):
    await shop.enter(LAPTOP, "u-7")
    await shop.enter(PHONE, "u-7")
    assert not (await shop.say(LAPTOP, "One", "temp-1")).is_repeat
    assert not (await shop.say(PHONE, "Two", "temp-1")).is_repeat
    assert (await shop.say(PHONE, "Two", "temp-1")).is_repeat
    assert await shop.texts(LAPTOP) == ["One", "Two"]


async def test_an_anonymous_conversation_goes_on_as_the_persons_who_has_none(shop):
    await shop.say(LAPTOP, "Before signing in")
    await shop.enter(LAPTOP, "u-7")
    assert await shop.texts(LAPTOP) == ["Before signing in"]
    await shop.enter(PHONE, "u-7")
    assert await shop.texts(PHONE) == ["Before signing in"]


async def test_also_when_the_person_had_come_before_without_a_word(shop):
    await shop.enter(LAPTOP, "u-7")
    await shop.say(PHONE, "Before signing in")
    await shop.enter(PHONE, "u-7")
    assert await shop.texts(PHONE) == await shop.texts(LAPTOP) == ["Before signing in"]


async def test_two_conversations_are_never_mixed(shop):
    await shop.enter(LAPTOP, "u-7")
    await shop.say(LAPTOP, "Mine")
    await shop.say(PHONE, "Before signing in")
    await shop.enter(PHONE, "u-7")
    assert await shop.texts(PHONE) == ["Mine"]


async def test_another_person_at_the_same_browser_gets_nothing_of_the_first(shop):
    await shop.enter(LAPTOP, "u-7")
    await shop.say(LAPTOP, "Mine")
    await shop.enter(LAPTOP, "u-8")
    assert await shop.texts(LAPTOP) == []
    await shop.enter(LAPTOP, "u-7")
    assert await shop.texts(LAPTOP) == ["Mine"]


async def test_of_many_sessions_proved_at_once_all_are_one_visitor(shop):
    entered = await asyncio.gather(*[shop.enter(session, "u-7") for session in SESSIONS])
    assert len({(await shop.enter(session)).visitor.visitor_id for session in SESSIONS}) == 1
    assert len(entered) == len(SESSIONS)


async def test_persons_of_two_shops_have_nothing_to_do_with_each_other(shop, other):
    await other.rotate()
    await shop.enter(LAPTOP, "u-7")
    await shop.say(LAPTOP, "Mine")
    await other.enter(PHONE, "u-7")
    assert await other.texts(PHONE) == []
    with pytest.raises(IdentityNotProved):
        await other.enter_session(shop_id=other.shop_id, session_id=THIRD, proof=shop.proof("u-7"))


async def test_a_wrong_proof_is_refused_and_leaves_nothing(shop):
    with pytest.raises(IdentityNotProved):
        await shop.enter_session(shop_id=shop.shop_id, session_id=LAPTOP, proof=shop.proof("u-7", "guess"))
    assert await FindSession(shop.db)(shop_id=shop.shop_id, session_id=LAPTOP) is None


async def test_a_replaced_secret_vouches_for_another_day(shop, clock):
    before = shop.secret
    await shop.rotate()
    assert shop.secret != before
    late = {"shop_id": shop.shop_id, "session_id": LAPTOP, "proof": shop.proof("u-7", before)}
    await shop.enter_session(**late)
    clock.advance(timedelta(hours=25))
    with pytest.raises(IdentityNotProved):
        await shop.enter_session(**late)
    await shop.enter(LAPTOP, "u-7")


async def test_the_secret_is_shown_to_those_who_integrate_and_sealed_for_its_shop(shop, other, db, clock):
    read = ReadIdentitySecret(db, shop.cipher)
    assert await read(actor=shop.stage.owner, shop_id=shop.shop_id) == shop.secret
    with pytest.raises(NoIdentitySecret):
        await read(actor=other.stage.owner, shop_id=other.shop_id)
    with pytest.raises(Forbidden):
        await read(actor=await a_member(db, clock, shop.stage.shop, Role.ORDER_MANAGER), shop_id=shop.shop_id)
    stored = await db.read(lambda tx: tx.visitors.identity_secret(), shop=shop.shop_id)
    assert shop.secret not in str(stored)
    await db.transact(lambda tx: tx.visitors.keep_identity_secret(stored), shop=other.shop_id)
    with pytest.raises(SecretUnreadable):
        await read(actor=other.stage.owner, shop_id=other.shop_id)


async def test_old_sessions_without_a_word_are_forgotten(shop, clock, db):
    await shop.enter(LAPTOP)
    await shop.enter(PHONE, "u-7")
    await shop.say(THIRD, "Hello")
    clock.advance(timedelta(days=31))
    await shop.enter(SESSIONS[3])
    before = clock.now() - timedelta(days=30)
    assert await db.transact(lambda tx: tx.visitors.prune(before), shop=SYSTEM) == 1
    find = FindSession(db)
    known = [await find(shop_id=shop.shop_id, session_id=session) for session in SESSIONS[:4]]
    assert [visitor is not None for visitor in known] == [False, True, True, True]


async def test_of_two_rotations_at_once_both_get_through(shop):
    secrets = await asyncio.gather(*[shop.rotate() for _ in range(2)])
    read = ReadIdentitySecret(shop.db, shop.cipher)
    assert await read(actor=shop.stage.owner, shop_id=shop.shop_id) in secrets
