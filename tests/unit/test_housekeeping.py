"""What nobody needs any more is forgotten, and nothing else."""

from datetime import timedelta

import pytest

from adapters.db.answers import SqlAnswers
from adapters.providers.system import RandomIds
from bootstrap.housekeeping import Housekeeping
from tests.builders import a_shop


@pytest.fixture
def database_url():
    return "memory://"


async def test_a_sweep_forgets_what_is_too_old(db, clock):
    answers = SqlAnswers(db, clock, RandomIds())
    housekeeping = Housekeeping(db, clock, timedelta(days=7), answers)
    await a_shop(db, clock)
    await answers.claim("a" * 64, "sealed")
    assert await housekeeping.sweep() == (0, 0, 0)
    clock.advance(timedelta(days=2))
    assert await housekeeping.sweep() == (0, 0, 1)
    clock.advance(timedelta(days=6))
    assert await housekeeping.sweep() == (1, 0, 0)
    clock.advance(timedelta(days=30))
    assert await housekeeping.sweep() == (0, 1, 0)
