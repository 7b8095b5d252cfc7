"""What a command does not use it does not load: a start is a matter of moments."""

import json
import subprocess
import sys

import pytest

from tests.system.processes import ROOT

HEAVY = {"alembic", "openai", "quart", "redis", "sqlalchemy"}
LOADED = "import json, sys; print(json.dumps(sorted(sys.modules)))"
HELP = f"""
import runpy, sys
sys.argv = ["parley", "--help"]
try:
    runpy.run_module("bootstrap.cli", run_name="__main__")
except SystemExit:
    pass
{LOADED}
"""


@pytest.mark.parametrize("code", [f"import bootstrap.cli; {LOADED}", HELP], ids=["import", "parley --help"])
def test_what_only_a_server_needs_is_not_loaded_before_there_is_one(code):
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = json.loads(done.stdout.splitlines()[-1])
    assert "bootstrap.settings" in loaded
    assert not HEAVY & set(loaded)
