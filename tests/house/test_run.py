"""What scripts/run says before it touches anything; what it does is read in the README and run by test_readme.py."""

import os
import socket
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A configuration with one connection, to an account where nobody answers."""
    (tmp_path / "config.toml").write_text("")
    (tmp_path / "connections.toml").write_text(
        '[elsewhere]\naccount = "faraway"\nuser = "somebody"\npassword = "x"\n'
        'host = "127.0.0.1"\nport = 9\nprotocol = "http"\n'
    )
    for name in ("config.toml", "connections.toml"):
        (tmp_path / name).chmod(0o600)
    return tmp_path


def scripts_run(*arguments: str, answer: str = "", **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [ROOT / "scripts/run", *arguments],
        env=os.environ | environment,
        input=answer,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )


def test_on_a_real_account_it_says_what_it_will_create_and_cost_and_does_nothing_unasked(home):
    refused = scripts_run("--connection", "elsewhere", answer="no\n", SNOWFLAKE_HOME=str(home))

    assert refused.returncode == 1
    for word in ("faraway", "somebody", "retail_stream_pkg", "retail_stream", "credits", "snow app teardown"):
        assert word in refused.stdout
    assert "Nothing was done" in refused.stdout
    assert "The local account" not in refused.stdout


def test_a_connection_that_does_not_exist_is_answered_with_those_that_do(home):
    refused = scripts_run("--connection", "nowhere", SNOWFLAKE_HOME=str(home))

    assert refused.returncode == 1
    assert "no connection named nowhere. Known: elsewhere" in refused.stdout


def test_a_port_that_another_program_has_is_named_with_a_way_out(clean_environment, tmp_path):
    with socket.socket() as other_program:
        other_program.bind(("127.0.0.1", 0))
        other_program.listen()
        port = other_program.getsockname()[1]
        (tmp_path / "account.json").write_text(f'{{"port": {port}}}')
        refused = scripts_run(**clean_environment, LOCAL_ACCOUNT_DATA=str(tmp_path))

    assert refused.returncode == 1
    assert f"Port {port} cannot be used" in refused.stdout
    assert f"scripts/account start --port {port + 1}" in refused.stdout


def test_a_dead_server_ends_the_run_with_the_clients_reason(home):
    refused = scripts_run("--connection", "elsewhere", "--yes", SNOWFLAKE_HOME=str(home))

    assert refused.returncode == 1
    assert "Could not connect" in refused.stdout
    assert "snow app run failed" in refused.stdout


@pytest.mark.parametrize("verb", ["run", "account"])
def test_a_verb_explains_itself(verb):
    helped = subprocess.run([ROOT / f"scripts/{verb}", "--help"], capture_output=True, text=True)

    assert helped.returncode == 0
    assert "usage" in helped.stdout.lower()
