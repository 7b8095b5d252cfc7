"""What `parley shop` tells of its work: bars while it goes on, a sentence or a line of JSON at its end."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from bootstrap.command import a_table, complaints, console, fail
from core.kernel import DomainError
from core.outages import DatabaseDown

_LOCKED = "a new account without a password: nobody can sign in with it; see --print-passwords"


@dataclass(frozen=True, slots=True)
class Bars:
    """Satisfies bootstrap.shop_export.Meter."""

    progress: Progress

    def begin(self, what: str, total: int) -> Callable[[int], None]:
        task = self.progress.add_task(what, total=total, visible=total > 0)
        return lambda step: self.progress.advance(task, step)


@contextmanager
def bars() -> Iterator[Bars]:
    """On standard error, and nothing at all where that is no terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    is_shown = complaints.is_terminal
    with Progress(*columns, console=complaints, transient=True, disable=not is_shown) as progress:
        yield Bars(progress)
        progress.refresh()


@contextmanager
def told() -> Iterator[None]:
    """What is wrong with an archive is told without the database's address, which has no part in that."""
    try:
        yield
    except DatabaseDown:
        raise
    except DomainError as error:
        raise fail(str(error)) from None
    except OSError as error:
        raise fail(f"{error.strerror or error}: {error.filename or ''}".rstrip(": ")) from None


def print_json(facts: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")


def say(sentence: str) -> None:
    console.print(sentence, markup=False, soft_wrap=True)


def show_exported(done: Any, *, as_json: bool) -> None:
    if as_json:
        facts = {"rows": done.rows, "files": done.files, "sha256": done.sha256}
        print_json({"archive": str(done.path), "shop_id": done.shop.id, **facts})
        return
    say(f"{done.shop.name}: {done.rows} rows and {done.files} files are in {done.path}.")
    say(f"Manifest {done.sha256}.")


def show_archive(archive: Any, *, as_json: bool) -> None:
    manifest = archive.manifest
    shop, made = manifest.shop, manifest.exported_at
    rows, files = manifest.rows, len(manifest.files)
    if as_json:
        facts = {"schema": manifest.schema, "exported_at": made.isoformat(), "rows": rows, "files": files}
        print_json({"shop_id": shop.id, "name": shop.name, **facts, "sha256": archive.digest})
        return
    when = f"{made:%Y-%m-%d %H:%M} UTC"
    say(f"{shop.name} ({shop.id}) of {when}: {rows} rows and {files} files, as they were written.")
    say(f"Manifest {archive.digest}.")


def show_imported(done: Any, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        print_json(_imported(done, dry_run=dry_run))
        return
    told = a_table("what", "what became of it")
    for what, became in _changes(done):
        told.add_row(Text(what), Text(became))
    if told.row_count:
        console.print(told)
    verb = "could be brought in" if dry_run else "is here"
    say(f"{done.name} {verb} as {done.shop_id}: {done.rows} rows and {done.files} files.")


def _changes(done: Any) -> Iterator[tuple[str, str]]:
    for user in done.people.new:
        password = done.passwords.get(user.email)
        yield user.email, f"a new account, password {password}" if password else _LOCKED
    for email in done.people.known:
        yield email, "has an account here, which is in the team now"
    if done.is_copy:
        yield "keys", f"new ones; an admin key is made by POST /api/shops/{done.shop_id}/keys/admin"
        yield "webhooks", "switched off, as the original's go on"
    for note in done.notes:
        yield note.what, note.became


def _imported(done: Any, *, dry_run: bool) -> dict[str, Any]:
    new = [{"email": user.email, "password": done.passwords.get(user.email)} for user in done.people.new]
    return {
        "shop_id": done.shop_id,
        "name": done.name,
        "is_copy": done.is_copy,
        "is_dry_run": dry_run,
        "rows": done.rows,
        "files": done.files,
        "new_accounts": new,
        "known_accounts": done.people.known,
        "notes": [{"what": note.what, "became": note.became} for note in done.notes],
    }
