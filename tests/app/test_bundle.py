"""What the `snow` client makes of snowflake.yml, without any connection."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def bundle(folder: Path, **variables: str) -> Path:
    """The files that a deployment of a copy of this clone would stage."""
    for name in ("app", "src"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "snowflake.yml", folder)
    home = folder / "home"
    home.mkdir()
    subprocess.run(
        [Path(sys.executable).with_name("snow"), "app", "bundle"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(home), "SNOWFLAKE_HOME": str(home)} | variables,
        check=True,
        capture_output=True,
        timeout=120,
    )
    return folder / "output/deploy"


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    root = bundle(tmp_path_factory.mktemp("clone"))
    return {path.relative_to(root).as_posix(): path.read_text() for path in root.rglob("*") if path.is_file()}


def test_the_bundle_is_the_files_of_the_clone_as_they_stand(staged):
    app = {
        path.relative_to(ROOT / "app").as_posix(): path.read_text()
        for path in (ROOT / "app").rglob("*")
        if path.is_file()
    }
    generator = {f"src/{path.name}": path.read_text() for path in (ROOT / "src/retail_stream").glob("*.py")}

    assert staged.keys() == (app | generator).keys()
    assert [name for name, text in (app | generator).items() if "<%" not in text and staged[name] != text] == []
    assert [name for name, text in staged.items() if "<%" in text] == []


def test_python_imports_every_module_of_the_generator_once(code_file, staged):
    imports = code_file.imports

    if imports:
        modules = {f"/{name}" for name in staged if name.startswith("src/")} - {"/src/__init__.py"}
        assert sorted(imports) == sorted(modules)
