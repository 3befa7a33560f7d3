"""Bundles: what the client makes of the clone and stages, and what the setup script in one does to a consumer's account.

A bundle is a folder with manifest.yml at its root. What it does is of two kinds. *Code* is what versioned schemas hold: each version brings its own,
and a failed upgrade leaves the old one in place. *State* is everything else: tables, streams, tasks, application roles, their grants. State outlives
upgrades, is not undone by a failed one, and may therefore be touched by a version and never by a patch
(developer-guide/native-apps/update-app-develop).
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from local_account.scripting import split

ROOT = Path(__file__).resolve().parents[1]
SNOW = Path(sys.executable).with_name("snow")

_COMMENT = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
_INCLUDE = re.compile(r"execute immediate from '([^']+)'", re.IGNORECASE)
_VERSIONED = re.compile(r"create or alter versioned schema (\w+)", re.IGNORECASE)
_OF_A_SCHEMA = re.compile(
    r"create (?:or replace |or alter )?(?:secure )?(?:procedure|function|view|streamlit|table|stream) (?:if not exists )?(\w+)\.(\w+)"
    r"|grant [\w, ]+ on schema (\w+) "
    r"|grant [\w, ]+ on (?:procedure|function|view|streamlit|table|stream) (\w+)\.",
    re.IGNORECASE,
)
_DEFINES = re.compile(r"(?:^|;|\bbegin|\bthen|\bdo|\belse|')\s*(?:create|alter|drop|grant|revoke)\s", re.IGNORECASE)
_CALLED = re.compile(r"\b(\w+\.\w+)\s*\(")
_NOT_CALLED = re.compile(r"'(?:[^']|'')*'|\bas call [\w.]+", re.IGNORECASE)  # text, and what a task will call one day


@dataclass(frozen=True)
class Statement:
    """One statement that the setup script runs."""

    file: str  # from the root of the bundle
    number: int  # in its file, from 0
    line: int
    text: str  # without comments, white space as one blank
    is_state: bool

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.text[:100]}"


def render(target: Path) -> Path:
    """The bundle of the clone as it stands, made by the client itself; `target` becomes its folder.

    Raises:
        RuntimeError: the client refuses the project; its words are the message.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("app", "src"):
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "snowflake.yml", folder)
        # The client needs a home to write into, and must not find a shell's own names for the package and the app.
        environment = {"PATH": os.environ["PATH"], "HOME": name, "SNOWFLAKE_HOME": name}
        done = subprocess.run([SNOW, "app", "bundle"], cwd=folder, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"snow app bundle failed:\n{done.stdout}{done.stderr}")
        shutil.copytree(folder / "output/deploy", target, dirs_exist_ok=True)
    return target


def manifest(bundle: Path) -> dict[str, Any]:
    return yaml.safe_load((bundle / "manifest.yml").read_text())


def statements(bundle: Path) -> list[Statement]:
    """What the setup script runs, in order, files that it includes taken in."""
    script = manifest(bundle).get("artifacts", {}).get("setup_script", "setup.sql")
    return list(_statements(bundle, Path(script), set()))


def _statements(bundle: Path, file: Path, versioned: set[str]) -> Iterator[Statement]:
    for number, statement in enumerate(split((bundle / file).read_text())):
        text = _plain(statement.text)
        if included := _INCLUDE.match(text):
            path = Path(os.path.normpath(file.parent / included[1]))
            yield from _statements(bundle, path, versioned)
            continue
        if found := _VERSIONED.match(text):
            versioned.add(found[1].lower())
        place = _OF_A_SCHEMA.match(text)
        schema = found[1] if found else next(filter(None, (place[1], place[3], place[4]))) if place else ""
        is_code = bool(schema) and schema.lower() in versioned
        yield Statement(file.as_posix(), number, statement.line, text, not is_code)


def _plain(text: str) -> str:
    """SQL without comments, and each stretch of white space as one blank."""
    return " ".join(_COMMENT.sub(lambda found: found[0] if found[0].startswith("'") else " ", text).split())


def state(bundle: Path) -> dict[str, str]:
    """Everything in a bundle that can touch what outlives an upgrade: text by place.

    Statements outside versioned schemas; the code that they run, with all that it calls; code that creates, alters, drops or grants; and what the
    manifest asks of the account.
    """
    about = manifest(bundle)
    found = {
        f"manifest.yml, {key}": str(about.get(key))
        for key in ("manifest_version", "privileges", "configuration", "references")
    }
    code = {}
    called = {procedure.lower() for procedure in (about.get("lifecycle_callbacks") or {}).values()}
    for statement in statements(bundle):
        if statement.is_state:
            found[f"{statement.file}, statement {statement.number + 1}"] = statement.text
            called |= _calls(statement.text) if statement.text.lower().startswith("call ") else set()
        elif (place := _OF_A_SCHEMA.match(statement.text)) and place[2]:
            code[f"{place[1]}.{place[2]}".lower()] = statement.text
    run = _reached(called, code)
    found |= {name: text for name, text in code.items() if name in run or _DEFINES.search(text.partition("$$")[2])}
    for module in sorted(bundle.glob("src/*.py")):
        strings = [
            node.value
            for node in ast.walk(ast.parse(module.read_text()))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        found |= {f"src/{module.name}: {text}": text for text in strings if _DEFINES.match(text)}
    return found


def _calls(text: str) -> set[str]:
    return {name.lower() for name in _CALLED.findall(_NOT_CALLED.sub("", text))}


def _reached(names: set[str], code: dict[str, str]) -> set[str]:
    """These procedures and functions, and those that they call."""
    reached: set[str] = set()
    while names := (names & code.keys()) - reached:
        reached |= names
        names = {called for name in names for called in _calls(code[name])}
    return reached


def changes_of_state(before: Path, after: Path) -> list[str]:
    """Where the state of two bundles differs: what makes the second a version, and forbids to call it a patch."""
    old, new = state(before), state(after)
    return [
        f"{place}: {'new' if place not in old else 'gone' if place not in new else 'changed'}"
        for place in sorted(old.keys() | new.keys())
        if old.get(place) != new.get(place)
    ]
