"""`parley shop`: whole shops out of one server and into another, as an operator does it."""

import contextlib
import fcntl
import json
import os
import pty
import re
import sqlite3
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from tests.system.commands import complaint, parley, run
from tests.system.processes import ROOT, ParleyProcess, environment, serving


@pytest.fixture
def target(migrated_file, tmp_path):
    """Another server's environment, with an empty database."""
    path = tmp_path / "target" / "parley.db"
    path.parent.mkdir()
    path.write_bytes(migrated_file.read_bytes())
    return environment(f"sqlite:///{path}", PARLEY_PUBLIC_URL="https://new.example", COLUMNS="200")


@pytest.fixture
def archive(shop, tmp_path):
    path = tmp_path / "lumen.parley"
    parley("shop", "export", shop.demo["shop_id"], "--output", str(path), env=environment(shop.url))
    return path


def test_a_shop_moves_from_one_server_to_another(shop, archive, target):
    shown = parley("shop", "list", env={**environment(shop.url), "COLUMNS": "200"})
    assert shop.demo["shop_id"] in shown
    assert "owner@example.com" in shown
    assert "There is no shop." in parley("shop", "list", env=target)
    checked = json.loads(parley("shop", "verify", str(archive), "--json", env=target))
    tried = parley("shop", "import", str(archive), "--dry-run", env=target)
    assert f"Lumen Coffee could be brought in as {shop.demo['shop_id']}: {checked['rows']} rows and" in tried
    said = parley("shop", "import", str(archive), env=target)
    assert "a new account without a password" in said
    assert f"Lumen Coffee is here as {shop.demo['shop_id']}: {checked['rows']} rows and 0 files." in said
    assert "All checks passed." in parley("verify", env=target)
    [listed] = parley("shop", "list", "--json", env=target).splitlines()
    assert json.loads(listed)["id"] == shop.demo["shop_id"] == checked["shop_id"]


@pytest.mark.slow
def test_it_is_served_at_once_by_a_server_that_runs_and_its_people_come_in(archive, shop, target, tmp_path):
    """In both directions: the one who exports runs as well."""
    from urllib.request import Request, urlopen  # noqa: PLC0415

    process = ParleyProcess(target, tmp_path / "log")
    with serving(process):
        done = json.loads(parley("shop", "import", str(archive), "--print-passwords", "--json", env=target))
        passwords = {account["email"]: account["password"] for account in done["new_accounts"]}
        body = json.dumps({"email": "owner@example.com", "password": passwords["owner@example.com"]}).encode()
        asked = Request(f"{process.url}/api/auth/login", body, {"Content-Type": "application/json"})
        with urlopen(asked) as answer:
            token = json.load(answer)["data"]["token"]
        headers = {"Authorization": f"Bearer {token}"}
        with urlopen(Request(f"{process.url}/api/shops/{shop.demo['shop_id']}", headers=headers)) as answer:
            assert json.load(answer)["data"]["name"] == "Lumen Coffee"
        # The shop's own servers keep their key.
        headers = {"Authorization": f"Bearer {shop.demo['admin_key']}"}
        with urlopen(Request(f"{process.url}/api/shops/{shop.demo['shop_id']}", headers=headers)) as answer:
            assert answer.status == 200
        again = parley("shop", "export", "lumen coffee", "-o", str(tmp_path / "again"), env=target)
        assert "Lumen Coffee: " in again


def test_a_copy_says_what_is_another(archive, target):
    said = parley("shop", "import", str(archive), "--as", "copy-1", env=target)
    assert "is here as copy-1" in said
    assert re.search(r"webhooks\W+switched off", said)
    assert re.search(r"keys\W+new ones", said)
    assert "All checks passed." in parley("verify", env=target)


def test_the_result_is_there_for_programs(shop, target, tmp_path):
    path = tmp_path / "x.parley"
    source = environment(shop.url)
    exported = json.loads(
        parley("shop", "export", shop.demo["shop_id"], "-o", str(path), "--json", env=source)
    )
    assert exported["archive"] == str(path)
    imported = json.loads(parley("shop", "import", str(path), "--as", "c", "--json", env=target))
    checked = json.loads(parley("shop", "verify", str(path), "--json", env=target))
    for told in (imported, checked):
        assert (told["rows"], told["files"]) == (exported["rows"], exported["files"])
    assert checked["sha256"] == exported["sha256"]
    assert (imported["shop_id"], imported["is_copy"], imported["is_dry_run"]) == ("c", True, False)
    assert {account["email"] for account in imported["new_accounts"]} == {
        "owner@example.com",
        "agent@example.com",
    }
    assert [account["password"] for account in imported["new_accounts"]] == [None, None]


def test_verify_asks_no_database(archive):
    env = environment("postgresql+asyncpg://parley@127.0.0.1:1/parley")
    assert "as they were written" in parley("shop", "verify", str(archive), env=env)


@pytest.mark.parametrize("command", [("verify",), ("import",), ("import", "--dry-run")])
@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda content: content[:-100], "lumen.parley is cut off or damaged"),
        (
            lambda content: content.replace(b"tables/orders.jsonl", b"tables/ordres.jsonl"),
            "tables/orders.jsonl",
        ),
        (lambda content: b"", "lumen.parley is cut off or damaged"),
    ],
)
def test_a_damaged_archive_is_refused_in_a_sentence(archive, target, command, damage, why):
    archive.write_bytes(damage(archive.read_bytes()))
    sentence = complaint("shop", *command, str(archive), env=target)
    assert sentence.startswith(f"The archive is refused: {why}")
    assert "There is no shop." in parley("shop", "list", env=target)


def test_what_can_not_be_is_told_in_a_sentence(shop, archive, target, tmp_path):
    source = environment(shop.url)
    expected = f"{archive} is there already; replace it with --force."
    assert complaint("shop", "export", shop.demo["shop_id"], "-o", str(archive), env=source) == expected
    parley("shop", "export", shop.demo["shop_id"], "-o", str(archive), "--force", env=source)
    nowhere = str(tmp_path / "nowhere" / "x")
    assert "No such file or directory" in complaint(
        "shop", "export", "Lumen Coffee", "-o", nowhere, env=source
    )
    unknown = complaint("shop", "export", "unknown", "-o", nowhere, env=source)
    assert unknown == "There is no shop unknown; see: parley shop list"
    assert "No such file or directory" in complaint("shop", "import", nowhere, env=target)
    there = complaint("shop", "import", str(archive), env=source)
    assert (
        there
        == f"There is a shop {shop.demo['shop_id']} here already; make a copy beside it with --as NEW_ID"
    )
    assert complaint("shop", "import", str(archive), "--as", "a/b", env=target).startswith("NEW_ID must be")
    assert run("shop", "import", env=target).code == 2


def test_a_name_that_two_shops_have_is_not_enough(shop, archive, tmp_path):
    env = environment(shop.url)
    parley("shop", "import", str(archive), "--as", "second", env=env)
    sentence = complaint("shop", "export", "Lumen Coffee", "-o", str(tmp_path / "x"), env=env)
    assert "Several shops are called Lumen Coffee; say which: " in sentence
    assert "second" in sentence
    parley("shop", "export", "second", "-o", str(tmp_path / "x"), env=env)


def test_another_version_of_the_database_is_refused(archive, target):
    parley("migrate", "-1", env=target)
    assert "parley migrate" in complaint("shop", "import", str(archive), env=target)


def on_a_terminal(*arguments, env):
    """What a person would see, as written, and the exit code."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    command = [sys.executable, "-m", "bootstrap.cli", *arguments]
    process = subprocess.Popen(command, env=env, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):
        while chunk := os.read(ours, 65_536):
            shown += chunk
    os.close(ours)
    return shown.decode(), process.wait(30)


@pytest.mark.slow
def test_people_see_a_bar_and_programs_do_not(shop, archive, target):
    env = {**target, "TERM": "xterm"}
    shown, code = on_a_terminal("shop", "import", str(archive), env=env)
    assert code == 0
    assert "Verifying" in shown
    assert "Rows" in shown
    assert "100%" in shown
    done = run("shop", "import", str(archive), "--as", "c", env=target)
    assert (done.code, done.err) == (0, "")
    assert "\x1b" not in done.out


def test_the_archive_is_a_zip_that_other_programs_open(archive):
    """Of JSON lines that people can read."""
    listed = subprocess.run(
        [sys.executable, "-m", "zipfile", "-l", str(archive)], capture_output=True, text=True, check=True
    ).stdout
    names = [line.split()[0] for line in listed.splitlines()[1:]]
    assert names[0] == "accounts.jsonl"
    assert names[-2:] == ["manifest.json", "manifest.sha256"]
    assert Path(archive).stat().st_mode & 0o077 == 0


def test_nothing_secret_is_in_the_archive_in_clear(shop, archive, tmp_path):
    subprocess.run([sys.executable, "-m", "zipfile", "-e", str(archive), str(tmp_path / "out")], check=True)
    everything = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file())
    with contextlib.closing(sqlite3.connect(shop.url.removeprefix("sqlite:///"))) as database:
        hashes = [row[0] for row in database.execute("SELECT password_hash FROM users")]
    for secret in (shop.demo["admin_key"], shop.demo["owner_password"], *hashes):
        assert secret.encode() not in everything
    assert b"password" not in everything
