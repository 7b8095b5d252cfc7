"""`parley members`: taking people into a team by hand."""

import pytest

from tests.system.commands import parley, run
from tests.system.processes import environment


def test_the_team_is_listed_with_its_roles(shop):
    listed = parley("members", "list", shop.demo["shop_id"], env=environment(shop.url, COLUMNS="80"))
    assert "owner@example.com" in listed
    assert "…" not in listed
    assert "support_agent" in listed


@pytest.mark.parametrize(
    ("who", "said"),
    [
        (("{shop_id}", "agent@example.com"), "in the team already"),
        (("{shop_id}", "nobody@example.com"), "Nobody has registered as nobody@example.com"),
        (("{shop_id}", "nobody"), "must be an email address"),
        (("unknown", "agent@example.com"), "There is no shop unknown"),
        (("{shop_id}", "agent@example.com", "king"), "king"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(shop, who, said):
    done = run("members", "add", *[word.format(**shop.demo) for word in who], env=environment(shop.url))
    assert done.code != 0
    assert said in done.err
    assert "Traceback" not in done.err
