"""`parley secrets`: by the operator's hands."""

from tests.system.commands import parley
from tests.system.processes import environment

OLD, NEW = "an-old-key-of-thirty-two-characters", "a-new-key-of-thirty-two-characters"


def with_keys(shop, *keys):
    return environment(shop.url, PARLEY_ENCRYPTION_KEYS=" ".join(keys))


def test_keys_are_rotated(shop):
    shop_id = shop.demo["shop_id"]
    first = parley("visitors", "secret", shop_id, "--rotate", env=with_keys(shop, OLD))
    assert "1 sealed anew" in parley("secrets", "renew", env=with_keys(shop, NEW, OLD))
    assert parley("visitors", "secret", shop_id, env=with_keys(shop, NEW)).split()[-1] == first.split()[-1]
