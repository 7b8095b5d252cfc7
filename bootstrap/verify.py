"""`parley verify`: each check in turn, with progress for people."""

from typing import Any

from rich.console import Console
from rich.progress import Progress

from adapters.db.audit import CHECKS, breakers


async def verify(db: Any, console: Console) -> list[str]:
    """One sentence per broken rule."""
    findings: list[str] = []
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("Verifying", total=len(CHECKS))
        for check in CHECKS:
            rows = await db.inspect(lambda connection, check=check: list(breakers(connection, check)))
            findings.extend(f"Broken: {check.rule}. First found at {row}." for row in rows)
            progress.advance(task)
    return findings
