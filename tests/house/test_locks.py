"""The locks are what everyone installs: each package by hash, and from nowhere in particular."""

import re
from pathlib import Path

import pytest

LOCKS = sorted(Path(__file__).parents[2].joinpath("requirements").glob("*.txt"))
# All that a lock may hold; with it no host, no index and no option gets in.
REQUIREMENT = re.compile(
    r"(?P<name>[a-z0-9-]+)(\[[a-z0-9,-]+\])?==(?P<version>\S+)(?P<marker> ; [^:/\\]+)?( \\)?"
)
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_holds_requirements_with_hashes_and_nothing_else(lock):
    lines = lock.read_text().splitlines()
    assert lines
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        assert REQUIREMENT.fullmatch(line) or HASH.fullmatch(line), line
        if REQUIREMENT.fullmatch(line):
            assert HASH.fullmatch(following), f"{line} has no hash"


def test_what_is_tested_is_what_is_served():
    base, dev = (_pins(lock) for lock in LOCKS)
    assert base.items() <= dev.items()


def _pins(lock):
    found = (REQUIREMENT.fullmatch(line) for line in lock.read_text().splitlines())
    return {(match["name"], match["marker"]): match["version"] for match in found if match}
