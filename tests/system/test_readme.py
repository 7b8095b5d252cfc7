"""The README's first minute, typed as it stands there."""

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.people import eventually
from tests.system.processes import ROOT, free_port

SERVE = [".venv/bin/parley serve"]
LOGS = ("agent.log", "visitor.log")
SAID = (
    "When are you open today?",
    "We are open Monday to Saturday, 8:00 to 18:00.",
    "And by appointment on Sundays.",
)


def blocks():
    """What the section has you type, block by block."""
    section = (ROOT / "README.md").read_text().split("\n## See it work in a minute\n")[1].split("\n## ")[0]
    return re.findall(r"^```sh\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)


@pytest.fixture
def checkout(tmp_path):
    """A folder in which `make serve` has built what it builds."""
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    parley = f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m bootstrap.cli "$@"\n'
    (programs / "parley").write_text(parley)
    (programs / "parley").chmod(0o755)
    (programs / "websockets").symlink_to(Path(sys.executable).parent / "websockets")
    return tmp_path


@pytest.fixture
async def port(checkout):
    """Where what `make serve` comes to serves, which is a port of the test's own."""
    port = free_port()

    async def is_there():
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False

    with typed(SERVE, checkout, port, errors="server.log"):
        await eventually(is_there)
        yield port


@contextlib.contextmanager
def typed(commands, directory, port, *, errors="errors.log"):
    """Into one shell, by somebody without any settings of this machine. What it left running ends with it."""
    script = (directory / errors).with_suffix(".sh")
    script.write_text("\n".join(commands))
    env = {"PATH": os.environ["PATH"], "HOME": str(directory), "PORT": str(port)}
    with (directory / errors).open("wb") as errors:
        shell = subprocess.Popen(
            ["bash", str(script)],
            env=env,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
        )
    try:
        yield shell
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGKILL)
        shell.wait()


def heard(log):
    """The texts of the messages that the `websockets` program has written down."""
    frames = [json.loads(frame) for frame in re.findall(r"< (\{.*\})$", log.read_text(), re.MULTILINE)]
    messages = [frame.get("data") or frame.get("message") or {} for frame in frames]
    is_message = [frame.get("event", frame["type"]) in {"message", "message:new"} for frame in frames]
    return [message["text"] for message, counts in zip(messages, is_message, strict=True) if counts]


@pytest.mark.slow
async def test_the_first_minute_of_the_readme_works_as_it_is_written(port, checkout):
    make, *commands = blocks()
    assert make == "make serve\n"
    with typed(commands, checkout, port) as shell:
        assert await asyncio.to_thread(shell.wait, 40) == 0

        async def everybody_heard_everything():
            return all(set(SAID) <= set(heard(checkout / log)) for log in LOGS)

        await eventually(everybody_heard_everything)
    for log in LOGS:
        assert [text for text in heard(checkout / log) if text in SAID] == list(SAID)
    assert (checkout / "errors.log").read_text() == ""
