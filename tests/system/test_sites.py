"""`parley sites`: by the operator's hands."""

import json

import pytest

from tests.system.processes import environment, parley


@pytest.fixture
def shop(sqlite_url):
    env = environment(sqlite_url)
    return env, json.loads(parley("seed", "--json", env=env))["shop_id"]


def test_sites_are_added_listed_and_removed(shop):
    env, shop_id = shop
    added = parley("sites", "add", shop_id, "https://Shop.example", "*.shop.example", env=env)
    site_id = added.split()[1].rstrip(":")
    assert "shop.example, *.shop.example" in added
    assert site_id in parley("sites", "list", shop_id, env=env)
    parley("sites", "remove", shop_id, site_id, env=env)
    assert site_id not in parley("sites", "list", shop_id, env=env)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("add", "unknown", "shop.example"), "There is no shop unknown"),
        (("add", "{shop_id}", "*.example"), "at least two labels"),
        (("remove", "{shop_id}", "unknown"), "Site not found"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(shop, words, complaint):
    env, shop_id = shop
    with pytest.raises(RuntimeError, match=complaint) as failure:
        parley("sites", *[word.format(shop_id=shop_id) for word in words], env=env)
    assert "Traceback" not in str(failure.value)
