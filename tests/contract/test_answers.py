"""Kept answers, on every database: who gets a claim, and what becomes of what is done under it."""

import asyncio
from datetime import timedelta

import pytest

from adapters.db.answers import ClaimingDatabase, SqlAnswers
from adapters.providers.system import RandomIds
from core.identity.errors import EmailTaken
from ports.answers import CLAIM, KEPT, LEASE, Claim, Repeated, StillAnswered
from ports.db import SYSTEM
from tests.builders import a_user

ID, FINGERPRINT = "a" * 64, "f" * 64


@pytest.fixture
def answers(db, clock):
    return SqlAnswers(db, clock, RandomIds())


@pytest.fixture
def claiming(db):
    return ClaimingDatabase(db)


async def under(claim, effect):
    token = CLAIM.set(claim)
    try:
        return await effect
    finally:
        CLAIM.reset(token)


async def cut_off(answers, claiming, clock):
    """Something was done, and then nobody was there to keep the answer."""
    claim = await answers.claim(ID, FINGERPRINT)
    await under(claim, a_user(claiming, clock))
    return claim


async def test_of_twenty_at_once_one_gets_the_claim(answers):
    found = await asyncio.gather(*[answers.claim(ID, FINGERPRINT) for _ in range(20)])
    assert [type(one) for one in found].count(Claim) == 1
    assert [one for one in found if isinstance(one, Repeated)] == [Repeated(FINGERPRINT, None, False)] * 19


async def test_a_kept_answer_is_found_for_a_day(answers, clock):
    await answers.keep(await answers.claim(ID, FINGERPRINT), "the answer")
    clock.advance(KEPT - timedelta(seconds=1))
    assert await answers.claim(ID, "another") == Repeated(FINGERPRINT, "the answer", False)
    assert await answers.prune() == 0
    clock.advance(timedelta(seconds=1))
    assert isinstance(await answers.claim(ID, "another"), Claim)


async def test_what_is_older_is_swept(answers, clock):
    await answers.keep(await answers.claim(ID, FINGERPRINT), "the answer")
    clock.advance(KEPT + timedelta(seconds=1))
    assert [await answers.prune(), await answers.prune()] == [1, 0]


async def test_a_dropped_claim_is_there_for_the_next(answers):
    await answers.drop(await answers.claim(ID, FINGERPRINT))
    assert isinstance(await answers.claim(ID, FINGERPRINT), Claim)


async def test_of_twins_that_all_give_up_each_is_told_the_truth(answers):
    async def one():
        for _ in range(5):
            try:
                found = await answers.claim(ID, FINGERPRINT)
            except StillAnswered:
                continue
            if isinstance(found, Claim):
                await answers.drop(found)
            else:
                assert found == Repeated(FINGERPRINT, None, False)

    await asyncio.gather(*[one() for _ in range(20)])
    assert isinstance(await answers.claim(ID, FINGERPRINT), Claim)


async def test_an_effect_outlives_its_claim(answers, claiming, clock):
    claim = await cut_off(answers, claiming, clock)
    assert claim.has_effect
    await answers.drop(claim)
    assert await answers.claim(ID, FINGERPRINT) == Repeated(FINGERPRINT, None, is_lost=False)
    clock.advance(LEASE)
    assert await answers.claim(ID, FINGERPRINT) == Repeated(FINGERPRINT, None, is_lost=True)
    await answers.keep(claim, "late")
    assert await answers.claim(ID, FINGERPRINT) == Repeated(FINGERPRINT, "late", is_lost=False)


async def test_without_an_effect_the_next_takes_over_after_the_lease(answers, claiming, db, clock):
    slow = await answers.claim(ID, FINGERPRINT)
    clock.advance(LEASE - timedelta(seconds=1))
    assert isinstance(await answers.claim(ID, FINGERPRINT), Repeated)
    clock.advance(timedelta(seconds=1))
    quick = await answers.claim(ID, FINGERPRINT)
    assert isinstance(quick, Claim)
    with pytest.raises(StillAnswered):
        await under(slow, a_user(claiming, clock, "slow"))
    await answers.keep(slow, "of the slow one")
    await answers.drop(slow)
    user = await under(quick, a_user(claiming, clock, "quick"))
    assert (await db.read(lambda tx: tx.users.get(user.user_id), shop=SYSTEM)).username.startswith("quick")
    assert await answers.claim(ID, FINGERPRINT) == Repeated(FINGERPRINT, None, is_lost=False)


async def test_what_is_undone_leaves_no_effect(answers, claiming, clock):
    claim = await answers.claim(ID, FINGERPRINT)

    def refuse(tx):
        raise EmailTaken

    with pytest.raises(EmailTaken):
        await under(claim, claiming.transact(refuse, shop=SYSTEM))
    assert not claim.has_effect
    await answers.drop(claim)
    assert isinstance(await answers.claim(ID, FINGERPRINT), Claim)


async def test_who_holds_no_claim_any_more_is_bound_by_none(answers, claiming, clock):
    claim = await answers.claim(ID, FINGERPRINT)
    claim.is_open = False
    await under(claim, a_user(claiming, clock))
    await answers.drop(claim)
    assert isinstance(await answers.claim(ID, FINGERPRINT), Claim)
