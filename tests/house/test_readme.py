"""The README, followed by a newcomer: every sh, sql and python block, from top to bottom, in a fresh copy of the clone.

A block in another language (`text`), or with words after its language, is not run; what is not run says why there.
"""

import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

import pytest
import snowflake.connector
from snowflake.connector.util_text import split_statements

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [(language, text) for language, text in BLOCK.findall((ROOT / "README.md").read_text()) if language != "text"]


@dataclass
class Newcomer:
    """A person with one shell and one worksheet, who reads on whatever they have just run."""

    clone: Path
    environment: dict[str, str]
    worksheet: list[snowflake.connector.SnowflakeConnection] = field(default_factory=list)
    said: str = ""

    def shell(self, script: str) -> str:
        """Runs a block in a shell that keeps its variables from block to block."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"{script}\nenv -0 > .environment"],
            cwd=self.clone,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
        )
        if done.returncode:
            pytest.fail(f"{script}\nended with {done.returncode}:\n{done.stdout}", pytrace=False)
        variables = (self.clone / ".environment").read_text().split("\0")
        self.environment = dict(variable.split("=", 1) for variable in variables if variable)
        self.said += done.stdout
        return done.stdout

    def connect(self) -> snowflake.connector.SnowflakeConnection:
        connections = Path(self.environment["SNOWFLAKE_HOME"]) / "connections.toml"
        return snowflake.connector.connect(connection_name="local", connections_file_path=connections)

    def sql(self, script: str) -> None:
        if not self.worksheet:
            self.worksheet.append(self.connect())
        for statement, _ in split_statements(StringIO(script), remove_comments=True):
            self.worksheet[0].cursor().execute(statement)

    def ids_of_events(self) -> set[int]:
        with self.connect() as connection:
            rows = connection.cursor().execute("select event_id from retail_stream.raw_data.raw_retail_events")
            return {event_id for (event_id,) in rows}

    def python(self, script: str) -> str:
        return self.shell(f".venv/bin/python -c {shlex.quote(script)}")


@pytest.fixture(scope="module")
def newcomer(clean_environment, unused_port, tmp_path_factory):
    clone = tmp_path_factory.mktemp("newcomer") / "retail-stream"
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, clone / name)
    (clone / ".venv").symlink_to(ROOT / ".venv")  # tests/house/test_setup.py is about making one
    newcomer = Newcomer(clone, clean_environment)
    newcomer.shell(f"scripts/account start --port {unused_port()}")  # the usual one may be taken by a person
    yield newcomer
    for connection in newcomer.worksheet:
        connection.close()
    newcomer.shell("scripts/account stop")


@pytest.mark.parametrize(("language", "text"), BLOCKS, ids=[text.splitlines()[0].strip()[:60] for _, text in BLOCKS])
def test_a_block_of_the_readme_runs(newcomer, language, text):
    {"sh": newcomer.shell, "sql": newcomer.sql, "python": newcomer.python}[language](text)


@pytest.mark.parametrize("command", ["scripts/run", "scripts/run --connection local --yes"])
def test_another_run_upgrades_in_place_and_keeps_every_row(newcomer, command):
    """The second form is the one for real accounts: here it is given the local account by its name."""
    before = newcomer.ids_of_events()
    said = newcomer.shell(command)

    assert "Upgrading existing application object" in said
    assert 0 < len(before) < len(newcomer.ids_of_events())
    assert before <= newcomer.ids_of_events()


def test_what_scripts_run_says_to_do_next_works(newcomer):
    lines = [
        line.strip()
        for line in newcomer.said.partition("What next")[2].partition("scripts/account stop")[0].splitlines()
    ]
    commands = [line for line in lines if line.startswith(("snow ", "scripts/", "eval "))]

    assert len(commands) >= 5
    newcomer.shell("\n".join(commands))
