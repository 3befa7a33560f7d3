"""What scripts/check does: every check that needs no account, one table, and an exit code that is 0 when nothing is found."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import bundles
from rich import box
from rich.console import Console
from rich.table import Table

from checks import documents, rules, sql_style
from checks.bundle import Bundle
from checks.rules import ERROR, Finding, Project

ROOT = Path(__file__).resolve().parents[2]
SNAPSHOT = "tests/app/bundle.txt"
TESTS = ["tests/house/test_layout.py", "tests/house/test_directions.py", "tests/app/test_setup_files.py"]
TESTS += ["tests/app/test_manifest.py"]
FIX = "scripts/check --fix writes it"

console = Console(highlight=False, soft_wrap=True)


@dataclass(frozen=True)
class Step:
    name: str
    does: str
    look: Callable[[], list[Finding]]


def main() -> int:
    arguments = parse_arguments()
    if arguments.fix:
        fix()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(max_workers=2) as workers:
        steps = all_steps(Path(folder))
        running = [workers.submit(timed, step.look) for step in steps]
        results = []
        with console.status("Checking"):
            for step, future in zip(steps, running, strict=True):
                results.append((step, *future.result()))
    report(results)
    return int(any(finding.severity == ERROR or arguments.strict for _, found, _ in results for finding in found))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/check",
        description="Checks everything that needs no account: the style of Python and SQL, types, where things lie and who may know whom, the "
        "bundle that the client would stage, Snowflake's rules for native applications on it, and the documents made of comments. Ends with 1 "
        "when it finds an error.",
    )
    parser.add_argument("--fix", action="store_true", help="first mend what a program can: format, documents, snapshot")
    parser.add_argument("--strict", action="store_true", help="end with 1 for warnings, too")
    return parser.parse_args()


def all_steps(folder: Path) -> list[Step]:
    """What is looked at, the slowest first; `folder` takes the bundle."""
    return [
        Step("bundle", "what is staged, Snowflake's rules", lambda: look_at_bundle(folder)),
        Step("types", "mypy", types),
        Step("SQL", "sqlfluff", lambda: sql_style.findings(ROOT)),
        Step("Python", "ruff", python_style),
        Step("layout", "places, directions", layout),
    ]


def timed(look: Callable[[], list[Finding]]) -> tuple[list[Finding], float]:
    started = time.monotonic()
    return look(), time.monotonic() - started


def look_at_bundle(folder: Path) -> list[Finding]:
    try:
        bundle = Bundle(bundles.render(folder / "bundle"))
    except RuntimeError as refusal:
        return [Finding(ERROR, "snowflake.yml", str(refusal))]
    found = [Finding(ERROR, name, f"differs from the comments: {FIX}") for name in documents.drifted(bundle, ROOT)]
    kept = (ROOT / SNAPSHOT).read_text().splitlines() if (ROOT / SNAPSHOT).is_file() else []
    for name in sorted(set(bundle.files) ^ set(kept)):
        what = "is staged now" if name in bundle.files else "is staged no more"
        found.append(Finding(ERROR, SNAPSHOT, f"{name} {what}: {FIX}"))
    return found + rules.findings(Project(bundle, ROOT, last_release()))


def last_release() -> Bundle | None:
    """The newest of the releases that the repository keeps, of another version than a patch to come."""
    kept = [path for path in (ROOT / "tests/releases").glob("*.*.*") if (path / "manifest.yml").is_file()]
    newest = max(kept, key=lambda path: [int(part) for part in path.name.split(".")], default=None)
    return Bundle(newest) if newest else None


def types() -> list[Finding]:
    return lines_of("mypy", "--no-error-summary", "src", "scripts")


def python_style() -> list[Finding]:
    return lines_of("ruff", "check", "--quiet", "--output-format", "concise", ".") + lines_of(
        "ruff", "format", "--quiet", "--check", "."
    )


def lines_of(program: str, *arguments: str) -> list[Finding]:
    """What a tool prints, a finding each line, if it ends with anything but 0."""
    done = subprocess.run(
        [Path(sys.executable).with_name(program), *arguments], cwd=ROOT, capture_output=True, text=True
    )
    printed = (done.stdout + done.stderr).splitlines() if done.returncode else []
    return [
        Finding(ERROR, line.partition(" ")[0].rstrip(":"), line.partition(" ")[2])
        for line in printed
        if ": note:" not in line
    ]


def layout() -> list[Finding]:
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", "--tb=line", "-p", "no:cacheprovider", *TESTS]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    if done.returncode and not lines:
        lines = [f"pytest ended with {done.returncode}: {done.stdout[-300:]}{done.stderr[-300:]}"]
    return [Finding(ERROR, line.split()[1], " ".join(line.split()[2:]) or "fails") for line in lines]


def fix() -> None:
    for arguments in (("check", "--fix", "--quiet", "."), ("format", "--quiet", ".")):
        subprocess.run([Path(sys.executable).with_name("ruff"), *arguments], cwd=ROOT)
    if wrong := {finding.place.partition(",")[0] for finding in sql_style.findings(ROOT)}:
        subprocess.run([Path(sys.executable).with_name("sqlfluff"), "fix", "--quiet", *wrong], cwd=ROOT)
    with tempfile.TemporaryDirectory() as folder:
        bundle = Bundle(bundles.render(Path(folder) / "bundle"))
        documents.write(bundle, ROOT)
        (ROOT / SNAPSHOT).write_text("\n".join(bundle.files) + "\n")


def report(results: list[tuple[Step, list[Finding], float]]) -> None:
    for _, found, _ in results:
        for finding in found:
            console.print(f"[bold {'red' if finding.severity == ERROR else 'yellow'}]{finding.severity}[/]", end=" ")
            console.print(str(finding).partition(" ")[2], markup=False)
    table = Table(box=box.SIMPLE_HEAD, title="What was found", title_justify="left", title_style="bold")
    for heading in ("Check", "Looks at", "Errors", "Warnings", "Seconds"):
        table.add_column(heading, justify="left" if heading in ("Check", "Looks at") else "right")
    for step, found, seconds in results:
        errors = sum(finding.severity == ERROR for finding in found)
        table.add_row(step.name, step.does, str(errors or "-"), str(len(found) - errors or "-"), f"{seconds:.0f}")
    console.print(table)
    console.print("[bold]What no program decides[/]")
    for rule in rules.questions():
        console.print(f"  {rule.id}: is it so that {rule.asks}?", markup=False)


if __name__ == "__main__":
    sys.exit(main())
