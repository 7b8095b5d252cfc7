"""The widget is served as built files, so that serving needs no Node. They are what their source says."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.services.npm import install
from tests.services.server import NotInstalled

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "web" / "widget"
BUILT = ROOT / "adapters" / "http" / "pages" / "widget"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def source() -> Path:
    try:
        install(SOURCE)
    except NotInstalled as missing:
        pytest.skip(str(missing))
    return SOURCE


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_built_files_match_their_source(source: Path, tmp_path: Path):
    subprocess.run(["node", "build.mjs", str(tmp_path / "built")], cwd=source, check=True, timeout=60)
    built, committed = files(tmp_path / "built"), files(BUILT)
    assert built.keys() == committed.keys(), "run `npm run build` in web/widget"
    assert [name for name in built if built[name] != committed[name]] == []


def test_the_types_hold(source: Path):
    checked = subprocess.run(
        ["node_modules/.bin/tsc"], cwd=source, capture_output=True, text=True, timeout=120, check=False
    )
    assert checked.stdout == ""
    assert checked.returncode == 0


def test_nothing_in_the_source_makes_markup_of_texts():
    for path in (SOURCE / "src").rglob("*.ts"):
        assert not re.search(
            r"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval)\b", path.read_text()
        ), path


@pytest.mark.parametrize("folder", [SOURCE, Path(__file__).parent], ids=lambda folder: folder.name)
def test_the_packages_are_locked_by_hash_and_from_nowhere_in_particular(folder: Path):
    lock = (folder / "package-lock.json").read_text()
    assert "resolved" not in lock
    assert "://" not in re.sub(r'"url": "https://[^"]*"', "", lock)
    assert lock.count('"integrity"') == lock.count('"node_modules/')
