"""Who may know whom. Each arrow that CONTRIBUTING draws is held here."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def files(*folders: str, suffix: str = "") -> list[Path]:
    """What git holds, or would hold after the next `git add`, below the folders."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", *folders],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    paths = (ROOT / name for name in listed.stdout.split("\0") if name)
    return sorted(path for path in paths if path.is_file() and path.name.endswith(suffix))


def imported_roots(path: Path) -> set[str]:
    """The first part of each module that a file imports, `retail_stream` in `from retail_stream.law import x`."""
    roots = set()
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            roots |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            roots.add(node.module.partition(".")[0])
    return roots


def importers_of(module: str, *folders: str) -> set[str]:
    return {
        path.relative_to(ROOT).as_posix() for path in files(*folders, suffix=".py") if module in imported_roots(path)
    }


def mentions(pattern: str, *folders: str) -> list[str]:
    """`path:line: text` of each line that a pattern matches, in any case."""
    found = []
    for path in files(*folders):
        try:
            lines = path.read_text().splitlines()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(lines, 1):
            if re.search(pattern, line, re.IGNORECASE):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    return found


def test_only_the_procedures_module_of_the_generator_knows_snowflake():
    assert importers_of("snowflake", "src") <= {"src/retail_stream/procedures.py"}


def test_the_generator_uses_the_standard_library_numpy_pandas_scipy_and_itself():
    allowed = sys.stdlib_module_names | {"numpy", "pandas", "scipy", "retail_stream", "snowflake", "_snowflake"}

    for path in files("src", suffix=".py"):
        assert imported_roots(path) <= allowed, path


@pytest.mark.parametrize("module", ["random", "secrets", "faker", "time"])
def test_the_generator_has_no_source_of_chance_or_time_but_its_arguments(module):
    assert importers_of(module, "src") <= {"src/retail_stream/procedures.py"}


def test_no_module_of_the_generator_hides_one_of_the_standard_library():
    """IMPORTS land flat in one directory, which stands first on the path there."""
    names = {path.stem for path in files("src", suffix=".py")}

    assert names & sys.stdlib_module_names == set()


def test_the_local_account_does_not_know_which_app_it_runs():
    assert mentions("retail", "scripts/local_account", "tests/local_account") == []
    assert importers_of("retail_stream", "scripts") == set()


def test_the_app_does_not_know_that_it_may_run_locally():
    assert (
        mentions(r"localhost|127\.0\.0\.1|local[ _]account|fakesnow|duckdb|emulat", "app", "src", "snowflake.yml") == []
    )


def test_nothing_imports_the_tests():
    assert importers_of("tests", ".") == set()
    assert importers_of("conftest", ".") == set()


def test_what_a_consumer_receives_needs_nothing_of_the_workshop():
    assert importers_of("local_account", "app", "src") == set()
    assert importers_of("pytest", "app", "src", "scripts") == set()


def test_no_file_names_a_place_on_somebodys_machine():
    assert mentions(r"(?<![\w.@-])/(home|users|root|work|mnt)/\w", ".") == []


def test_no_code_looks_into_the_home_folder():
    """But for the processes of Python handlers, whose home is a folder of the account's own."""
    found = mentions(r"path\.home\(|expanduser\(", "app", "src", "scripts")

    assert [line for line in found if not line.startswith("scripts/local_account/worker.py")] == []


LAYERS = ["reference_data", "raw_data", "bronze", "gold"]


@pytest.mark.parametrize("layer", LAYERS)
def test_tables_and_views_of_a_layer_read_only_layers_before_it(layer):
    later = "|".join([*LAYERS[LAYERS.index(layer) + 1 :], "truth"])

    for path in files(f"app/setup/{layer}", suffix=".sql"):
        code = re.sub(r"--[^\n]*|'(?:[^']|'')*'", "", path.read_text())
        assert re.findall(rf"\b(?:{later})\.\w+", code) == [], path


def test_the_pipeline_never_reads_what_only_the_generator_may_know():
    for path in files("app/setup/core", suffix=".sql"):
        if path.stem.startswith("transform_"):
            assert "truth." not in path.read_text(), path


def test_the_account_leaves_no_result_open():
    assert mentions(r"\.fetchone\(", "scripts/local_account") == []
