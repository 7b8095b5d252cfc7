"""`parley visitors secret`: by the operator's hands."""

from tests.system.commands import complaint, parley
from tests.system.processes import environment


def test_the_secret_is_made_shown_and_replaced(shop):
    env, shop_id = environment(shop.url), shop.demo["shop_id"]
    assert "no identity secret yet" in complaint("visitors", "secret", shop_id, env=env)
    first = parley("visitors", "secret", shop_id, "--rotate", env=env).strip()
    assert first.startswith("vs_")
    assert parley("visitors", "secret", shop_id, env=env).strip() == first
