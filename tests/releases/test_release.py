"""scripts/release, in a clone of its own: what it refuses, and what a release leaves in git, in the account and with a consumer."""

import shutil
import subprocess
from pathlib import Path

import pytest
import snowflake.connector

ROOT = Path(__file__).resolve().parents[2]
PROCEDURE, TABLE = "app/setup/core/stop_historical_data.sql", "app/setup/pipeline/notices.sql"


class Clone:
    """What git holds, or would hold after the next `git add`, in a repository of its own, with the environment of this one."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        people = {f"GIT_{who}_{what}": "someone" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        self.environment = environment | people
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=ROOT, check=True, capture_output=True,
        ).stdout  # fmt: skip
        for name in filter(None, listed.decode().split("\0")):
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, folder / name)
        (folder / ".venv").symlink_to(ROOT / ".venv")
        # What the check finds is a matter of its own tests: here it is a shorter one.
        (folder / "scripts/check").write_text(
            "#!/bin/sh\n# Finds files that say so.\n! grep -r 'the check finds this' app\n"
        )
        with (folder / ".gitignore").open("a") as ignored:
            ignored.write(".venv\n")
        self.run("git", "init", "--quiet")
        self.commit()

    def tried(self, *command: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
        )

    def run(self, *command: str) -> str:
        """What a command prints, which must end well."""
        done = self.tried(*command)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def refused(self, *command: str) -> str:
        """What a command prints, which must not end well and must leave everything as it was."""
        before = self.run("git", "status", "--porcelain"), self.run("git", "log", "--oneline")
        done = self.tried(*command)
        assert done.returncode == 1, done.stdout
        assert before == (self.run("git", "status", "--porcelain"), self.run("git", "log", "--oneline"))
        return " ".join(done.stdout.split())

    def edit(self, path: str, old: str, new: str) -> None:
        file = self.folder / path
        assert old in file.read_text(), path
        file.write_text(file.read_text().replace(old, new, 1))

    def commit(self) -> None:
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--message", "An edit")

    def add_entry(self, text: str) -> None:
        self.edit("CHANGELOG.md", "## [Unreleased]\n", f"## [Unreleased]\n\n### Added\n\n- {text}\n")

    @property
    def last(self) -> tuple[int, ...]:
        return max(
            tuple(map(int, path.parent.name.split("."))) for path in self.folder.glob("tests/releases/*/manifest.yml")
        )


@pytest.fixture
def clone(tmp_path, clean_environment):
    return Clone(tmp_path / "clone", clean_environment)


def dotted(*number: int) -> str:
    return ".".join(map(str, number))


def test_what_is_not_clean_or_not_possible_is_refused_with_every_reason(clone):
    major, minor, _ = clone.last
    changelog = clone.folder / "CHANGELOG.md"
    before, _, rest = changelog.read_text().partition("## [Unreleased]\n")
    changelog.write_text(f"{before}## [Unreleased]\n\n## [{rest.partition('## [')[2]}")
    (clone.folder / "a_note.txt").write_text("that nobody committed")

    said = clone.refused("scripts/release", dotted(*clone.last))
    assert "The clone is not clean" in said
    assert "no entry under [Unreleased]" in said
    assert f"{dotted(*clone.last)} is made already" in said
    assert f"{dotted(major, minor + 1, 0)}, {dotted(major + 1, 0, 0)}, not 9.9.9" in clone.refused(
        "scripts/release", "9.9.9"
    )
    assert "is no number of a release" in clone.refused("scripts/release", "next")
    assert "--again takes one of" in clone.refused("scripts/release", "9.9.9", "--again")


def test_a_patch_that_touches_what_outlives_an_upgrade_is_refused_and_becomes_a_version(clone):
    major, minor, patch = clone.last
    clone.add_entry("A column.")
    clone.edit(TABLE, "\ngrant ", "\nalter table pipeline.notices add column if not exists reader varchar;\n\ngrant ")
    clone.commit()

    said = clone.refused("scripts/release", dotted(major, minor, patch + 1))
    assert "touches what outlives an upgrade" in said
    assert "setup/pipeline/notices.sql, statement 2: " in said

    planned = clone.run("scripts/release", "--dry-run")
    assert f"{dotted(major, minor + 1, 0)}: a version" in planned
    assert f"as v{major}_{minor + 1} patch 0, in channel DEFAULT of the local account" in planned
    assert clone.run("git", "status", "--porcelain") == ""

    clone.edit(PROCEDURE, "create", "-- the check finds this\ncreate")
    clone.commit()
    assert "scripts/check finds something" in clone.refused("scripts/release")


def test_releases_are_kept_published_and_directed_and_consumers_follow(clone, unused_port):
    major, minor, _ = clone.last
    second = dotted(major, minor + 1, 0)
    clone.run("scripts/account", "start", "--port", str(unused_port()))
    try:
        clone.run("scripts/release", dotted(major, minor, 0), "--again")
        connections = clone.folder / ".account/snowflake/connections.toml"
        with snowflake.connector.connect(connection_name="local", connections_file_path=connections) as connection:
            consumer = connection.cursor()
            consumer.execute("create application shop from application package retail_stream_pkg")
            clone.add_entry("A column.")
            clone.edit(
                TABLE, "\ngrant ", "\nalter table pipeline.notices add column if not exists reader varchar;\n\ngrant "
            )
            clone.commit()

            clone.run("scripts/release")

            released = (clone.folder / "tests/releases" / second / "manifest.yml").read_text()
            assert f"name: v{major}_{minor + 1}\n" in released
            assert f'label: "Retail Stream {second}"' in released
            changelog = (clone.folder / "CHANGELOG.md").read_text()
            assert f"## [Unreleased]\n\n## [{second}] - 20" in changelog
            assert changelog.count("- A column.") == 1
            assert clone.run("git", "status", "--porcelain") == ""
            assert clone.run("git", "log", "-1", "--format=%s") == f"Release {second}\n"
            consumer.execute("alter application shop upgrade")
            about = dict(consumer.execute("describe application shop").fetchall())
            assert (about["version"], about["patch"], about["version_label"]) == (
                f"V{major}_{minor + 1}",
                "0",
                f"Retail Stream {second}",
            )
            assert "READER" in [row[0] for row in consumer.execute("describe table shop.pipeline.notices")]

        clone.add_entry("Another word.")
        clone.edit(PROCEDURE, "comment = '", "comment = 'Now: ")
        clone.commit()
        assert f"{dotted(major, minor + 1, 1)}: a patch" in clone.run("scripts/release", "--dry-run")
    finally:
        clone.run("scripts/account", "stop")
