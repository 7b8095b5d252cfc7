"""In production every line that the process writes is JSON, whoever writes it."""

import json
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing

import httpx2
import pytest

from tests.system.processes import ROOT, ParleyProcess, environment, serving

SECRETS = ("hunter2", "in-the-query-4711", "eyJhbGciOiJIUzI1NiJ9.e30.c2ln", "sk_of-a-shop-4711")
SPEAKERS = {
    "a library": "logging.getLogger('sqlalchemy.pool').error('lost %s', 'postgresql://me:hunter2@db/parley')",
    "a library in trouble": """
try: raise ValueError("first\\nsecond sk_of-a-shop-4711")
except ValueError: logging.getLogger('uvicorn.error').exception('GET /ws?token=in-the-query-4711&after=1')""",
    "Hypercorn": """
from hypercorn.config import Config
from hypercorn.logging import Logger
config = Config()
config.errorlog = '-'
asyncio.run(Logger(config).error('Error with Bearer %s', 'eyJhbGciOiJIUzI1NiJ9.e30.c2ln'))""",
    "a warning": "warnings.warn('odd')",
    "a thread": """
thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()""",
    "a task": """
async def fail(): raise ValueError('nobody waits for this')
async def forget():
    task = asyncio.create_task(fail())
    await asyncio.wait([task])
asyncio.run(forget())""",
    "a finalizer": """
class Fragile:
    def __del__(self): 1 / 0
Fragile()""",
    "ourselves": "structlog.get_logger('parley').warning('spoken', token='hunter2')",
    "nobody": "raise RuntimeError('the end\\nof it')",
}


@pytest.mark.parametrize("speaker", SPEAKERS)
def test_whoever_speaks_writes_one_line_of_json(speaker):
    script = f"""
import asyncio, logging, structlog, threading, warnings
from bootstrap import logs
logs.configure(level='INFO', as_json=True)
structlog.contextvars.bind_contextvars(request_id='the-request')
{SPEAKERS[speaker]}"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )
    [line] = done.stderr.splitlines()
    entry = json.loads(line)
    assert entry["event"]
    assert entry["level"] in {"warning", "error", "critical"}
    if speaker != "a thread":  # which is in no request
        assert entry["request_id"] == "the-request"
    assert not [secret for secret in SECRETS if secret in line]
    assert done.stdout == ""


@pytest.fixture(params=["hypercorn", "uvicorn"])
def in_production(request, sqlite_url, tmp_path):
    settings = {
        "PARLEY_ENV": "production",
        "PARLEY_PUBLIC_URL": "https://chat.shop.example",
        "PARLEY_ENCRYPTION_KEYS": "a-key-that-seals-what-is-stored-here",
        "PARLEY_SERVER": request.param,
        "PARLEY_LOG_LEVEL": "DEBUG",
    }
    process = ParleyProcess(environment(sqlite_url, **settings), tmp_path / "log", options=())
    with serving(process):
        yield process, sqlite_url.removeprefix("sqlite:///")


@pytest.mark.slow
def test_a_server_in_production_writes_nothing_but_json(in_production):
    server, file = in_production
    with socket.create_connection(("127.0.0.1", server.port), 5) as client:
        client.sendall(b"this is no HTTP\r\n\r\n")
        client.settimeout(10)
        while client.recv(4096):
            continue
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("ALTER TABLE users RENAME TO users_gone")
    answer = httpx2.post(
        f"{server.url}/api/auth/login",
        json={"email": "ann@shop.example", "password": "correct horse battery"},
        headers={"x-request-id": "told-by-the-client"},
    )
    assert answer.status_code == 500
    server.stop()
    entries = [json.loads(line) for line in server.whole_log().splitlines()]
    [failed] = [entry for entry in entries if entry["event"] == "request_failed"]
    assert failed["request_id"] == "told-by-the-client"
    assert "Traceback" in failed["exception"]
