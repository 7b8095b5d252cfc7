"""`parley verify`: each check in turn, with progress for people."""

import asyncio
from typing import Any

from rich.console import Console
from rich.progress import Progress

from adapters.db.audit import CHECKS, breakers, is_kept, kept
from ports.storage import Storage

BYTES = "every file's bytes are in the storage"
OBJECTS_AT_ONCE = 50


async def verify(db: Any, storage: Storage, console: Console) -> list[str]:
    """One sentence per broken rule. Raises StorageDown."""
    findings: list[str] = []
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("Verifying", total=len(CHECKS) + 1)
        for check in CHECKS:
            rows = await db.inspect(lambda connection, check=check: list(breakers(connection, check)))
            findings.extend(f"Broken: {check.rule}. First found at {row}." for row in rows)
            progress.advance(task)
        if file := await _first_without_bytes(db, storage):
            findings.append(f"Broken: {BYTES}. First found at {file}.")
    return findings


async def _first_without_bytes(db: Any, storage: Storage) -> str | None:
    """Such as after a backup of the database came back without that of the files."""
    page: list[tuple[str, str]]
    after = ""
    while page := await db.inspect(lambda connection, after=after: kept(connection, after, OBJECTS_AT_ONCE)):
        are_there = await asyncio.gather(*(storage.exists(key) for key, _ in page))
        for (key, file), is_there in zip(page, are_there, strict=True):
            # A server that runs meanwhile may have deleted both.
            if not is_there and await db.inspect(lambda connection, key=key: is_kept(connection, key)):
                return str(file)
        after = page[-1][0]
    return None
