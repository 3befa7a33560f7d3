"""The style of Python, as ruff reads it; its settings and their reasons stand in pyproject.toml."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("command", [("check",), ("format", "--check")], ids=" ".join)
def test_ruff_finds_nothing_to_say(command):
    found = subprocess.run(
        [Path(sys.executable).with_name("ruff"), *command, "."], cwd=ROOT, capture_output=True, text=True
    )

    assert found.returncode == 0, found.stdout
