"""`parley visitors secret`: by the operator's hands."""

import json

import pytest

from tests.system.processes import environment, parley


def test_the_secret_is_made_shown_and_replaced(sqlite_url):
    env = environment(sqlite_url)
    shop_id = json.loads(parley("seed", "--json", env=env))["shop_id"]
    with pytest.raises(RuntimeError, match="no identity secret yet"):
        parley("visitors", "secret", shop_id, env=env)
    first = parley("visitors", "secret", shop_id, "--rotate", env=env).strip()
    assert first.startswith("vs_")
    assert parley("visitors", "secret", shop_id, env=env).strip() == first
