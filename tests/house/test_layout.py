"""One guess must find anything: what lies where, and under which name."""

import os
import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VERBS = ["account", "check", "dashboard", "promises", "release", "run", "setup", "test"]


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return [name for name in listed.stdout.split("\0") if name]


def test_the_top_level_holds_what_the_readme_says_and_no_more():
    expected = {
        "app/", "docs/", "scripts/", "src/", "tests/", ".ci/",
        "snowflake.yml", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE",
        "requirements.txt", "pyproject.toml", ".gitignore",
    }  # fmt: skip

    assert {name.split("/")[0] + "/" * ("/" in name) for name in tracked()} == expected


def test_git_holds_no_file_that_was_built():
    built = re.compile(r"\.(zip|whl|pyc|so|db|log)$|(^|/)(output|__pycache__|\.venv|\.account)/")

    assert [name for name in tracked() if built.search(name)] == []


def test_test_files_have_names_of_their_own_and_mirror_what_they_test():
    names = [Path(name) for name in tracked() if re.fullmatch(r"tests/.*test_.*\.py", name)]

    assert {path.parts[1] for path in names} <= {
        "app",
        "house",
        "local_account",
        "promises",
        "releases",
        "retail_stream",
        "ui",
    }
    assert [name for name, count in Counter(path.name for path in names).items() if count > 1] == []
    assert [name for name in tracked() if re.fullmatch(r"tests/(?!releases/\d).*__init__\.py", name)] == []


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_is_a_program_that_says_in_its_second_line_what_it_does(verb):
    path = ROOT / "scripts" / verb
    shebang, purpose, *_ = path.read_text().splitlines()

    assert os.access(path, os.X_OK)
    assert shebang == "#!/bin/sh"
    assert purpose.startswith("# ")


def test_every_program_in_scripts_is_a_verb_that_the_readme_names():
    programs = {path.name for path in (ROOT / "scripts").iterdir() if path.is_file() and os.access(path, os.X_OK)}
    readme = (ROOT / "README.md").read_text()

    assert programs == set(VERBS)
    assert [verb for verb in VERBS if f"scripts/{verb}" not in readme] == []


def test_what_markdown_points_to_exists():
    for name in tracked():
        if name.endswith(".md"):
            path = ROOT / name
            for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text()):
                assert (path.parent / target).exists(), f"{name} points to {target}"


def test_a_decision_says_what_else_there_was_and_how_we_will_know_it_was_wrong():
    decisions = sorted((ROOT / "docs/decisions").glob("*.md"))

    assert [int(path.name[:4]) for path in decisions] == list(range(1, len(decisions) + 1))
    for path in decisions:
        headings = re.findall(r"^## (.+)$", path.read_text(), re.MULTILINE)
        assert headings == ["Context", "Options", "Choice", "How we will know it was wrong"], path.name
        assert len(path.read_text().splitlines()) <= 60, f"{path.name} is longer than a page"
