"""`parley sites`: by the operator's hands."""

import pytest

from tests.system.commands import complaint, parley
from tests.system.processes import environment


def test_sites_are_added_listed_and_removed(shop):
    env, shop_id = environment(shop.url), shop.demo["shop_id"]
    added = parley("sites", "add", shop_id, "https://Shop.example", "*.shop.example", env=env)
    site_id = added.split()[1].rstrip(":")
    assert "shop.example, *.shop.example" in added
    assert site_id in parley("sites", "list", shop_id, env=env)
    parley("sites", "remove", shop_id, site_id, env=env)
    assert site_id not in parley("sites", "list", shop_id, env=env)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "unknown", "shop.example"), "There is no shop unknown"),
        (("add", "{shop_id}", "*.example"), "at least two labels"),
        (("remove", "{shop_id}", "unknown"), "Site not found"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(shop, words, said):
    words = [word.format(**shop.demo) for word in words]
    assert said in complaint("sites", *words, env=environment(shop.url))
