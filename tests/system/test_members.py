"""`parley members`: taking people into a team by hand."""

import json

import pytest

from tests.system.processes import environment, parley


@pytest.fixture
def shop(sqlite_url):
    env = environment(sqlite_url)
    return env, json.loads(parley("seed", "--json", env=env))


def test_the_team_is_listed_with_its_roles(shop):
    env, demo = shop
    listed = parley("members", "list", demo["shop_id"], env={**env, "COLUMNS": "80"})
    assert "owner@example.com" in listed
    assert "…" not in listed
    assert "support_agent" in listed


@pytest.mark.parametrize(
    ("who", "complaint"),
    [
        (("{shop_id}", "agent@example.com"), "in the team already"),
        (("{shop_id}", "nobody@example.com"), "Nobody has registered as nobody@example.com"),
        (("{shop_id}", "nobody"), "must be an email address"),
        (("unknown", "agent@example.com"), "There is no shop unknown"),
        (("{shop_id}", "agent@example.com", "king"), "king"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(shop, who, complaint):
    env, demo = shop
    with pytest.raises(RuntimeError, match=complaint) as failure:
        parley("members", "add", *[word.format(**demo) for word in who], env=env)
    assert "Traceback" not in str(failure.value)
