"""`parley admins`: the first of the platform's admins, and the last."""

import json

import pytest

from tests.system.commands import complaint, parley, run
from tests.system.processes import environment


@pytest.fixture
def env(shop):
    return environment(shop.url)


def admins(env) -> str:
    return parley("admins", "list", env={**env, "COLUMNS": "100"})


def test_admins_are_made_and_unmade(env):
    assert "@" not in admins(env)
    assert "is an admin of the platform now" in parley("admins", "add", "owner@example.com", env=env)
    parley("admins", "add", "AGENT@example.com", env=env)
    listed = admins(env)
    assert "owner@example.com" in listed
    assert "agent@example.com" in listed
    assert "is no admin" in parley("admins", "remove", "owner@example.com", env=env)
    assert "owner@example.com" not in admins(env)
    assert "last platform admin" in complaint("admins", "remove", "agent@example.com", env=env)
    assert "agent@example.com" in admins(env)


def test_what_was_done_is_logged(env):
    logged = run(
        "admins",
        "add",
        "owner@example.com",
        env=env | {"PARLEY_LOG_JSON": "true", "PARLEY_LOG_LEVEL": "INFO"},
    )
    line = next(line for line in map(json.loads, logged.err.splitlines()) if "admin" in line["event"])
    assert (line["event"], line["by"]) == ("platform admin granted", "operator")


@pytest.mark.parametrize(
    ("command", "email", "sentence"),
    [
        ("add", "nobody@example.com", "Nobody has registered as nobody@example.com"),
        ("add", "nobody", "must be an email address"),
        ("remove", "nobody@example.com", "Nobody has registered as nobody@example.com"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(env, command, email, sentence):
    assert sentence in complaint("admins", command, email, env=env)
