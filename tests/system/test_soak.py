"""Minutes of load on one server: nothing is lost, and memory stays where it settles. Run by `make soak`."""

import asyncio
import json
import os
from pathlib import Path

import httpx2
import pytest

from tests.system.commands import parley
from tests.system.processes import ParleyProcess, environment, serving
from tests.system.shoppers import Writer, history, visitor_token

SECONDS = float(os.environ.get("SOAK_SECONDS", "180"))
WRITERS = 16
GROWTH_LIMIT_KB = 40 * 1024
"""From a third of the time to its end: caches are warm by then, and what still grows is a leak."""


def resident_kb(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


@pytest.mark.soak
@pytest.mark.parametrize("server", ["hypercorn", "uvicorn"])
async def test_a_long_day_loses_nothing_and_leaks_nothing(sqlite_url, tmp_path, server):
    env = environment(sqlite_url, PARLEY_SERVER=server)
    demo = json.loads(parley("seed", "--json", env=env))
    process = ParleyProcess(env, tmp_path / "server.log")
    with serving(process):
        async with httpx2.AsyncClient(timeout=20) as client:
            writers = [
                Writer(f"w{n}", [process.url], await visitor_token(client, process.url, demo))
                for n in range(WRITERS)
            ]
            stop = asyncio.Event()
            async with asyncio.TaskGroup() as tasks:
                for writer in writers:
                    tasks.create_task(writer.write(client, stop, "What are your opening hours?", 0.02))
                await asyncio.sleep(SECONDS / 3)
                settled = resident_kb(process.pid)
                await asyncio.sleep(SECONDS * 2 / 3)
                stop.set()
            grown = resident_kb(process.pid) - settled
            for writer in writers:
                said = await history(client, process.url, writer.token)
                asked = {entry["temp_id"] for entry in said if entry["sender"] == "user"}
                assert asked == set(writer.acknowledged)
        assert process.stop() < 10
    assert grown < GROWTH_LIMIT_KB
    assert "All checks passed" in parley("verify", env=env)
