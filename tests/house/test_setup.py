"""The way from a bare clone to an environment, and what it says when it cannot go on."""

import ast
import re
import shutil
import subprocess
import sys
from importlib.metadata import distributions, packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = [
    line for line in (ROOT / "requirements.txt").read_text().splitlines() if line and not line.startswith("#")
]


def in_a_copy(tmp_path: Path, command: str, **environment: str) -> subprocess.CompletedProcess:
    """Runs a verb in a copy of the clone that has no environment yet."""
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "requirements.txt", tmp_path)
    return subprocess.run(
        [tmp_path / command], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def tools(folder: Path, *names: str) -> str:
    """A PATH with these programs and no others."""
    folder.mkdir()
    for name in names:
        (folder / name).symlink_to(shutil.which(name))
    return str(folder)


def test_requirements_are_names_and_exact_versions_and_nothing_else():
    assert [line for line in REQUIREMENTS if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line)] == []


def test_the_environment_holds_exactly_what_is_required():
    installed = {
        normal(d.metadata["Name"]): d.version for d in distributions() if "site-packages" in str(d.locate_file(""))
    }
    required = {normal(name): version for name, version in (line.split("==") for line in REQUIREMENTS)}

    assert installed == required


def test_every_package_that_we_import_is_one_that_we_ask_for():
    """In the first part of requirements.txt: what only follows from others may go with them."""
    ours = {
        "bundles", "checks", "local_account", "pipeline_batch", "retail_stream", "run_app", "_snowflake",
        *sys.stdlib_module_names,
    }  # fmt: skip
    asked = {
        normal(line.split("==")[0]) for line in (ROOT / "requirements.txt").read_text().split("\n\n")[1].splitlines()
    }
    providers = packages_distributions()
    imported = set()
    for folder in ("scripts", "src", "tests"):
        for path in (ROOT / folder).rglob("*.py"):
            if path.is_relative_to(ROOT / "tests/releases") and path.parent != ROOT / "tests/releases":
                continue  # what was released, as it was
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    imported |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and not node.level:
                    imported.add(node.module.partition(".")[0])

    assert {name for name in imported - ours if not asked & {normal(p) for p in providers.get(name, [])}} == set()


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_a_complete_environment_is_left_alone_without_a_word():
    again = subprocess.run([ROOT / "scripts/setup"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    assert (again.returncode, again.stdout) == (0, "")


@pytest.mark.parametrize("verb", ["setup", "run", "test", "check", "account"])
def test_without_python_3_11_each_verb_says_how_to_get_it(tmp_path, verb):
    refused = in_a_copy(tmp_path, f"scripts/{verb}", PATH=tools(tmp_path / "bin", "sh", "dirname", "cat"))

    assert refused.returncode == 1
    assert "Python 3.11 is needed" in refused.stdout
    assert "PYTHON=/path/to/python3.11" in refused.stdout


def test_packages_that_cannot_be_had_end_the_set_up_with_pips_reason_and_no_half_environment(tmp_path):
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_CONFIG_FILE": "/dev/null", "PIP_RETRIES": "0"}
    python = shutil.which("python3.11")

    refused = in_a_copy(tmp_path, "scripts/setup", PATH=Path(python).parent.as_posix() + ":/usr/bin:/bin", **nowhere)

    assert refused.returncode == 1
    assert "No matching distribution found" in refused.stdout
    assert "Is a package index within reach" in refused.stdout
    assert not (tmp_path / ".venv/complete").exists()
