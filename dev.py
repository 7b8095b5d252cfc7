"""Build what Parley needs, then run it. Nothing but Python 3.11 has to be there.

    python3 dev.py serve    a server on http://localhost:8080, with a demo shop
    python3 dev.py test     every test but the long ones, on all cores
    python3 dev.py check    format, lint, types, import contracts, fast tests
    python3 dev.py bench    the benchmarks
    python3 dev.py soak     the long tests
    python3 dev.py format   rewrite the code in the house format
    python3 dev.py lock     resolve the dependencies again (--upgrade for newer ones)

More arguments go on to the command: python3 dev.py test tests/house -x
"""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import time
import venv
from pathlib import Path

# Before anything newer is used, and in syntax that an older Python still reads.
if sys.version_info < (3, 11):
    sys.exit(f"Parley needs Python 3.11 or newer; this is {sys.version.split()[0]}. Try: python3.11 dev.py")

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = str(VENV / "bin" / "python")
LOCKS = {kind: ROOT / "requirements" / f"{kind}.txt" for kind in ("base", "dev")}
PYTEST = [PYTHON, "-m", "pytest"]
# Tests of whole servers wait most of the time, so that two of them share a core well.
ON_ALL_CORES = ["-n", str(2 * (os.cpu_count() or 1)), "--dist", "worksteal"]

# The form that pip writes too: a plain shebang cannot hold a long path, or one with a space.
PARLEY = """#!/bin/sh
'''exec' "{python}" "$0" "$@"
' '''
import sys

from bootstrap.cli import main

sys.exit(main())
"""


def main() -> None:
    command, *arguments = sys.argv[1:] or ["help"]
    if command not in COMMANDS:
        sys.exit(__doc__)
    os.chdir(ROOT)
    # Containers like to set it. Every process would compile everything anew, and the tests start hundreds.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    COMMANDS[command](arguments)


def serve(arguments: list[str]) -> None:
    prepare("base")
    become([str(VENV / "bin" / "parley"), "serve", *arguments])


def test(arguments: list[str]) -> None:
    prepare("dev")
    become([*PYTEST, *ON_ALL_CORES, "-m", "not soak", *arguments])


def check(arguments: list[str]) -> None:
    prepare("dev")
    steps = {
        "format": [PYTHON, "-m", "ruff", "format", "--check"],
        "lint": [PYTHON, "-m", "ruff", "check"],
        "types": [PYTHON, "-m", "mypy"],
        "imports": [str(VENV / "bin" / "lint-imports"), "--no-logo"],
        "fast tests": [*PYTEST, *ON_ALL_CORES, "-m", "not slow and not soak", *arguments],
    }
    failed = []
    for name, step in steps.items():
        say(name)
        if subprocess.run(step).returncode:
            failed.append(name)
    sys.exit(f"Failed: {', '.join(failed)}" if failed else 0)


def bench(arguments: list[str]) -> None:
    prepare("dev")
    become([PYTHON, "-m", "benchmarks", *arguments])


def soak(arguments: list[str]) -> None:
    prepare("dev")
    become([*PYTEST, "-m", "soak", "--timeout", "0", *arguments])


def tidy(arguments: list[str]) -> None:
    prepare("dev")
    subprocess.run([PYTHON, "-m", "ruff", "check", "--fix-only", *arguments])
    become([PYTHON, "-m", "ruff", "format", *arguments])


def lock(arguments: list[str]) -> None:
    """Resolve without naming a host, and take nothing younger than a week: bad releases are found in days.

    For a fix that cannot wait: python3 dev.py lock --exclude-newer-package name=2026-01-31
    """
    uv = shutil.which("uv")
    if not uv:
        say("fetching uv")
        tool = VENV / "uv"
        venv.create(tool, clear=True, symlinks=True)
        run([*pip_for(str(tool / "bin" / "python")), "install", "--quiet", "uv"])
        uv = str(tool / "bin" / "uv")
    a_week_ago = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 7 * 24 * 3600))
    how = ["--quiet", "--universal", "--python-version", "3.11", "--generate-hashes"]
    how += ["--no-annotate", "--no-header"]
    os.environ.setdefault("UV_EXCLUDE_NEWER", a_week_ago)
    for kind, what in {"base": [], "dev": ["--all-extras", "--group", "dev"]}.items():
        say(f"resolving {LOCKS[kind].name}")
        output = ["--output-file", str(LOCKS[kind].relative_to(ROOT))]
        run([uv, "pip", "compile", *how, *what, *output, *arguments, "pyproject.toml"])


COMMANDS = {
    "serve": serve,
    "test": test,
    "check": check,
    "bench": bench,
    "soak": soak,
    "format": tidy,
    "lock": lock,
}


def prepare(kind: str) -> None:
    """Make .venv hold the lock of that kind; the work of an instant when it already does.

    The dev lock holds everything of the base lock. Stamps are written last, so an interrupted build is not
    taken for a finished one; a .venv of another Python or another place is built anew.
    """
    place = f"{sys.version}\n{ROOT}\n"
    wanted = place + hashlib.sha256(b"".join(path.read_bytes() for path in LOCKS.values())).hexdigest()
    stamps = {kind: VENV / f"{kind}.stamp" for kind in LOCKS}

    def stamped(path: Path) -> str:
        return path.read_text() if path.exists() and Path(PYTHON).exists() else ""

    with Path(__file__).open() as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # two terminals must not build at once
        if stamped(stamps[kind]) == wanted:
            return
        if not os.access(ROOT, os.W_OK):
            sys.exit(f"Parley cannot build its .venv in {ROOT}, which is not yours. Use a clone of your own.")
        started = time.monotonic()
        if not stamped(stamps["base"]).startswith(place):
            say("building .venv")
            venv.create(VENV, clear=True, symlinks=True)
        for stamp in stamps.values():
            stamp.unlink(missing_ok=True)
        install(LOCKS[kind])
        put_on_path()
        for name in LOCKS if kind == "dev" else ["base"]:
            stamps[name].write_text(wanted)
        say(f"ready after {time.monotonic() - started:.0f} s")


def install(lock: Path) -> None:
    """Exactly what the lock names, wheels only: by uv where it is there and gets through, else by pip."""
    say(f"installing {sum(line[0].isalnum() for line in lock.read_text().splitlines())} packages")
    options = ["install", "--require-hashes", "--only-binary", ":all:", "--requirement", str(lock)]
    uv = shutil.which("uv")
    if uv:
        if subprocess.run([uv, "pip", *options, "--python", PYTHON], capture_output=True).returncode == 0:
            return
        say("uv did not get through, trying pip")
    output = []
    command = [*pip_for(PYTHON), *options, "--no-compile"]  # what is used is compiled when it is first used
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip:
        for line in pip.stdout or ():
            output.append(line)
            if line.startswith(("Collecting ", "Installing ")):
                show(line)
    show("")
    if pip.returncode:
        sys.exit("".join(output[-20:]) + f"pip could not install {lock.name} and says why above.")


def pip_for(python: str) -> list[str]:
    """The pip of the Python we run on, which saves unpacking another; where it has none, ensurepip's."""
    outside = [sys.executable, "-m", "pip", "--python", python]
    inside = [python, "-m", "pip"]
    for pip in (outside, inside):
        if subprocess.run([*pip, "--version"], capture_output=True).returncode == 0:
            return pip
    if not importlib.util.find_spec("ensurepip"):
        sys.exit("This Python has neither pip nor ensurepip. On Debian: apt-get install python3-venv")
    say("fetching pip")
    run([python, "-m", "ensurepip"])
    return inside


def put_on_path() -> None:
    """What an editable install would do, without a build step."""
    packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(VENV)}))
    (packages / "parley.pth").write_text(f"{ROOT}\n")
    script = VENV / "bin" / "parley"
    script.write_text(PARLEY.format(python=PYTHON))
    script.chmod(0o755)


def run(command: list[str]) -> None:
    """Or give up with its exit status; it has said why."""
    code = subprocess.run(command).returncode
    if code:
        sys.exit(code)


def become(command: list[str]) -> None:
    """Replace this process, so that signals and the exit status are the command's own."""
    sys.stdout.flush()
    os.execv(command[0], command)


def say(text: str) -> None:
    print(f"parley: {text}", flush=True)


def show(line: str) -> None:
    """On a terminal, one line that keeps changing."""
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns - 3
        print(f"\r\033[K  {line.strip()[:width]}" if line else "\r\033[K", end="", flush=True)


if __name__ == "__main__":
    main()
