"""Settings: what is wrong with them is told in a sentence that names the variable, before anything runs."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
import typer

from adapters.providers.push_memory import MemoryPushSender
from adapters.providers.push_sender import HttpPushSender
from adapters.providers.vapid import Vapid, new_private_key, private_key
from bootstrap.command import load_settings
from bootstrap.container import Container
from bootstrap.settings import NAMES, Settings
from ports.limits import Rate

README = Path(__file__).resolve().parents[2] / "README.md"
SECRET = "0123456789abcdef0123456789abcdef"
KEY = "fedcba9876543210fedcba9876543210"
PRODUCTION = {
    "PARLEY_ENV": "production",
    "JWT_SECRET": SECRET,
    "PARLEY_ENCRYPTION_KEYS": KEY,
    "PARLEY_PUBLIC_URL": "https://chat.shop.example",
}
ALIASES = {"PARLEY_DATABASE_URL", "PARLEY_HOST", "PARLEY_PORT"}
"""Second names, for those who want all of theirs to begin alike."""


@pytest.fixture
def environment(monkeypatch):
    """Sets variables, in a world that has no other settings."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)

    def set_all(variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return set_all


def complaints(capsys):
    """The lines that `load_settings` ends with."""
    with pytest.raises(typer.Exit) as end:
        load_settings()
    assert end.value.exit_code == 1
    return capsys.readouterr().err.splitlines()


def test_without_any_everything_is_on_this_machine(environment):
    environment({})
    settings = load_settings()
    assert settings.database_url == "sqlite:///var/parley.db"
    assert (settings.bus, settings.limits_store, settings.host) == ("memory", "memory", "127.0.0.1")
    assert settings.base_url == "http://localhost:8080"


def test_production_starts_with_what_it_needs(environment):
    environment(PRODUCTION)
    assert load_settings().is_secure


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"JWT_SECRET": ""}, "JWT_SECRET"),
        ({"JWT_SECRET": "short"}, "JWT_SECRET"),
        ({"PARLEY_ENCRYPTION_KEYS": ""}, "PARLEY_ENCRYPTION_KEYS"),
        ({"PARLEY_ENCRYPTION_KEYS": f"{KEY}, short"}, "PARLEY_ENCRYPTION_KEYS"),
        ({"DATABASE_URL": "memory://"}, "DATABASE_URL"),
        ({"PARLEY_WEBHOOKS_ALLOW_PRIVATE": "true"}, "PARLEY_WEBHOOKS_ALLOW_PRIVATE"),
        ({"PARLEY_PUBLIC_URL": ""}, "PARLEY_PUBLIC_URL"),
        ({"PARLEY_PUBLIC_URL": "http://chat.shop.example"}, "PARLEY_PUBLIC_URL"),
        ({"PARLEY_ASSISTANT": "openai"}, "OPENAI_API_KEY"),
        ({"PARLEY_PUSH": "memory"}, "PARLEY_PUSH"),
    ],
)
def test_production_refuses_what_is_for_development(environment, capsys, changed, name):
    environment(PRODUCTION | changed)
    [complaint] = complaints(capsys)
    assert complaint.startswith(f"{name} must ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://localhost/parley"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "parley.db"),
        ("PARLEY_MIGRATION_DATABASE_URL", "oracle://x"),
        ("PARLEY_ENV", "staging"),
        ("PARLEY_SERVER", "gunicorn"),
        ("PARLEY_BUS", "localhost:6379"),
        ("PARLEY_LIMITS_STORE", "memcached://x"),
        ("PARLEY_ASSISTANT", "eliza"),
        ("PARLEY_RELAY", "perhaps"),
        ("PARLEY_LIMITS__VISITOR", "120"),
        ("PARLEY_LIMITS__VISITOR", "0/60"),
        ("PARLEY_LIMITS__VISITOR", "120/0"),
        ("PARLEY_LEASE", "0"),
        ("PARLEY_LEASE", "1y"),
        ("PARLEY_TRUSTED_PROXIES", "10.0.0.0/8, proxy"),
        ("PARLEY_WIDGET_HOSTS", "chat.shop.example *.shop.example"),
        ("PARLEY_WIDGET_HOSTS", "https://"),
        ("PARLEY_PUBLIC_URL", "chat.shop.example"),
        ("PARLEY_PUBLIC_URL", "https://"),
        ("PARLEY_LOG_LEVEL", "LOUD"),
        ("PORT", "65536"),
        ("PORT", "http"),
        ("OPENAI_TIMEOUT", "0"),
        ("PARLEY_PUSH", "pigeon"),
        ("VAPID_PRIVATE_KEY", "short"),
        ("VAPID_PRIVATE_KEY", "-----BEGIN EC PRIVATE KEY-----"),
        ("VAPID_SUBJECT", "mara@shop.example"),
        ("VAPID_SUBJECT", "http://shop.example"),
    ],
)
def test_a_value_that_can_not_be_right_is_told_with_its_name(environment, capsys, name, value):
    environment({name: value})
    [complaint] = complaints(capsys)
    assert complaint.startswith(f"{name}: ")


def test_all_mistakes_are_told_at_once(environment, capsys):
    environment({"PARLEY_BUS": "?", "PORT": "?", "PARLEY_LIMITS__USER": "?", "PARLEY_COLOUR": "red"})
    named = {re.split("[: ]", line)[0] for line in complaints(capsys)}
    assert named == {"PARLEY_COLOUR", "PORT", "PARLEY_BUS", "PARLEY_LIMITS__USER"}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("PARLEY_TRUSTED_PROXY", "PARLEY_TRUSTED_PROXIES"),
        ("PARLEY_LIMIT__VISITOR", "PARLEY_LIMITS__VISITOR"),
        ("PARLEY_LIMITS_VISITOR", "PARLEY_LIMITS__VISITOR"),
        ("parley_buss", "PARLEY_BUS"),
    ],
)
def test_a_name_that_is_no_setting_is_refused_with_the_one_that_was_meant(environment, capsys, typed, meant):
    environment({typed: "1/1"})
    assert complaints(capsys) == [f"{typed} is not a setting; is {meant} meant?"]


def test_a_name_that_resembles_none_is_refused_all_the_same(environment, capsys):
    environment({"PARLEY_QQQQQQQQQQQQ": "1"})
    assert complaints(capsys) == ["PARLEY_QQQQQQQQQQQQ is not a setting"]


def test_no_complaint_repeats_a_secret(environment, capsys):
    secrets = {"JWT_SECRET": "tooshort", "VAPID_PRIVATE_KEY": "notakey"}
    environment(secrets | {"DATABASE_URL": "mysql://parley:hidden@db/parley"})
    told = "\n".join(complaints(capsys))
    assert not [secret for secret in (*secrets.values(), "hidden") if secret in told]


def test_pushes_are_signed_by_the_key_that_is_set_and_else_by_one_that_stays(environment):
    environment(PRODUCTION)
    derived = Container(settings=load_settings()).vapid().public_key
    assert Container(settings=load_settings()).vapid().public_key == derived
    key = new_private_key()
    environment({"VAPID_PRIVATE_KEY": key})
    settings = load_settings()
    assert key not in repr(settings)
    assert (
        Container(settings=settings).vapid().public_key == Vapid(private_key(key), "").public_key != derived
    )
    environment({"VAPID_PRIVATE_KEY": "", "JWT_SECRET": KEY})
    assert Container(settings=load_settings()).vapid().public_key != derived


def test_push_services_are_told_whose_server_this_is(environment):
    environment({})
    assert load_settings().push_subject == "https://localhost"
    environment(PRODUCTION)
    assert load_settings().push_subject == "https://chat.shop.example"
    environment({"VAPID_SUBJECT": "mailto:mara@shop.example"})
    assert load_settings().push_subject == "mailto:mara@shop.example"


@pytest.mark.parametrize(("push", "kind"), [("web", HttpPushSender), ("memory", MemoryPushSender)])
def test_pushes_go_where_the_setting_says(environment, push, kind):
    environment({"PARLEY_PUSH": push, "JWT_SECRET": SECRET})
    assert isinstance(Container(settings=load_settings()).push_sender(), kind)


def test_settings_do_not_show_their_secrets(environment):
    environment(PRODUCTION | {"OPENAI_API_KEY": "sk-0", "PARLEY_PREVIOUS_JWT_SECRETS": "older, oldest"})
    shown = repr(load_settings())
    assert not [secret for secret in (SECRET, KEY, "sk-0", "older", "oldest") if secret in shown]


def test_an_empty_variable_is_as_good_as_none(environment):
    environment({"PARLEY_BUS": "", "PORT": "", "PARLEY_LIMITS__USER": ""})
    assert (load_settings().bus, load_settings().port) == ("memory", 8080)


def test_durations_rates_and_lists_are_read_as_people_write_them(environment):
    environment(
        {
            "PARLEY_ACCESS_LIFETIME": "90",
            "PARLEY_LOGIN_LIFETIME": "12h",
            "PARLEY_LIMITS__LOGIN_PER_ADDRESS": "5/60",
            "PARLEY_TRUSTED_PROXIES": "10.0.0.0/8, 127.0.0.1",
            "PARLEY_PREVIOUS_JWT_SECRETS": "a b",
        }
    )
    settings = load_settings()
    assert settings.access_lifetime == timedelta(seconds=90)
    assert settings.login_lifetime == timedelta(hours=12)
    assert settings.limits.login_per_address == Rate(5, 60)
    assert settings.limits.user == Settings.model_fields["limits"].default.user
    assert settings.trusted_proxies == ("10.0.0.0/8", "127.0.0.1")
    assert len(settings.previous_jwt_secrets) == 2


def documented():
    """The variables in the README's table."""
    table = README.read_text().split("\n## Configure\n")[1].split("\n## ")[0]
    names = set()
    for first, _, meaning in re.findall(r"^\| (`.*?)\|(.*?)\|(.*)\|$", table, re.MULTILINE):
        names |= set(re.findall(r"`(\w+)`", first))
        if "PARLEY_LIMITS__" in first:
            names |= {f"PARLEY_LIMITS__{name}" for name in re.findall(r"`([A-Z_]+)`", meaning)}
    return names


def test_the_readme_lists_every_variable_and_no_other():
    assert documented() | ALIASES == NAMES - {"PARLEY_LIMITS"}


def test_a_front_end_is_a_directory_with_a_page(environment, capsys, tmp_path):
    missing, empty = tmp_path / "missing", tmp_path / "empty"
    empty.mkdir()
    (tmp_path / "index.html").write_text("<!doctype html>")
    for wrong in (missing, empty, tmp_path / "index.html"):
        environment({"PARLEY_FRONTEND": str(wrong)})
        assert complaints(capsys) == [
            f"PARLEY_FRONTEND: must be a directory with an index.html, and {wrong} is none"
        ]
    environment({"PARLEY_FRONTEND": str(tmp_path)})
    assert load_settings().frontend == tmp_path
