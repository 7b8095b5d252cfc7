"""What a folder's package-lock.json names, installed beside it: once, by the first test that asks."""

import fcntl
import hashlib
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.services.server import NotInstalled

INSTALLS_WITHIN = 300.0


def install(folder: Path, then: Callable[[Path], None] | None = None) -> Path:
    """The folder's node_modules, exactly as locked. Raises NotInstalled without Node or its packages.

    `then` does with them what has to be done once.
    """
    if not (shutil.which("node") and shutil.which("npm")):
        raise NotInstalled("Node: no node and npm on the PATH")
    modules = folder / "node_modules"
    stamp = modules / ".locked"
    wanted = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    with (folder / "package.json").open() as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # workers of pytest-xdist ask at the same time
        if not stamp.exists() or stamp.read_text() != wanted:
            _clean_install(folder)
            if then:
                then(modules)
            stamp.write_text(wanted)
    return modules


def _clean_install(folder: Path) -> None:
    done = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=INSTALLS_WITHIN,
        check=False,
    )
    if done.returncode:
        raise NotInstalled(f"npm packages of {folder.name}: {done.stderr.strip()[-300:]}")
