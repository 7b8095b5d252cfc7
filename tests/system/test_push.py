"""`parley push`: a pair of keys that the server takes."""

from adapters.providers.vapid import Vapid, private_key
from tests.system.commands import parley
from tests.system.processes import environment


def test_new_keys_are_printed_as_settings(tmp_path):
    env = environment(f"sqlite:///{tmp_path / 'parley.db'}")
    printed = [parley("push", "keys", env=env) for _ in range(2)]
    assert printed[0] != printed[1]
    settings = dict(line.split("=", 1) for line in printed[0].splitlines())
    assert (
        Vapid(private_key(settings["VAPID_PRIVATE_KEY"]), "").public_key == settings["VITE_VAPID_PUBLIC_KEY"]
    )
