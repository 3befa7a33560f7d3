"""What scripts/release does: decides patch or version, writes number, changelog and snapshot in one commit, and publishes the snapshot."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import bundles
import typer
import yaml
from run_app import LOCAL, RunFailed, connected, names, use_local_account

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "tests/releases"
MANIFEST = ROOT / "app/manifest.yml"
CHANGELOG = ROOT / "CHANGELOG.md"
SNOW = Path(sys.executable).with_name("snow")
STAGE = "app_src.release"  # not the one of snow app run: a release and a day's work never meet
NO_SUCH_PACKAGE = 2003


class Refused(Exception):
    """Why there is no release, one reason a line."""


@dataclass(frozen=True, order=True)
class Number:
    """1.4.2: the patch 2 of the version v1_4. Within one version, releases touch no ordinary schema."""

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> Number:
        if not re.fullmatch(r"\d+\.\d+\.\d+", text):
            raise Refused(f"'{text}' is no number of a release: write it as 1.4.2.")
        return cls(*map(int, text.split(".")))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"

    @property
    def version(self) -> str:
        """As Snowflake calls it: an identifier."""
        return f"v{self.major}_{self.minor}"

    @property
    def label(self) -> str:
        """As consumers read it."""
        return f"Retail Stream {self}"

    @property
    def folder(self) -> Path:
        return KEPT / str(self)

    def followers(self) -> list[Number]:
        """What may come next: a patch, a version, or a version that starts a new count."""
        return [
            Number(self.major, self.minor, self.patch + 1),
            Number(self.major, self.minor + 1, 0),
            Number(self.major + 1, 0, 0),
        ]


def kept() -> list[Number]:
    """All releases, the newest last."""
    return sorted(Number.parse(path.parent.name) for path in KEPT.glob("*/manifest.yml"))


def release(
    number: Annotated[
        str | None,
        typer.Argument(
            help="Its number, as 1.4.2. Without one: the next patch, or the next version where a patch is not possible.",
            show_default=False,
        ),
    ] = None,
    connection: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Publish on this Snowflake connection of yours; without it, on the local account."
        ),
    ] = None,
    channel: Annotated[str, typer.Option(help="The release channel: QA, ALPHA or DEFAULT.")] = "DEFAULT",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, or why it cannot be, and do nothing.")
    ] = False,
    again: Annotated[
        bool,
        typer.Option(
            "--again",
            help="Publish the snapshot of a release that is made already: after a stop half way, or in another account.",
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --connection: do not ask whether to go on.")] = False,
) -> None:
    """Makes a release of the clone as it is committed, and directs consumers to it."""
    try:
        chosen = Number.parse(number) if number else None
        if again:
            if chosen not in kept():
                raise Refused(f"--again takes one of {', '.join(map(str, kept()))}.")
        else:
            chosen = make(chosen, dry_run)
        if dry_run:
            typer.echo(
                f"Then {chosen} would be published, as {chosen.version} patch {chosen.patch}, in channel {channel} of {connection or 'the local account'}."
            )
            return
        publish(chosen, connection, channel, asked=not yes)
    except (Refused, RunFailed) as refusal:
        typer.echo(f"\n{refusal}", err=True)
        raise typer.Exit(1) from None


# making -----------------------------------------------------------------------------------------------------------


def make(chosen: Number | None, dry_run: bool) -> Number:
    """Number, changelog and snapshot of a release, in one commit; or the reasons why it cannot be."""
    last = kept()[-1]
    text, changelog = MANIFEST.read_text(), CHANGELOG.read_text()
    reasons = unclean()
    if not entries(changelog):
        reasons.append("CHANGELOG.md has no entry under [Unreleased]: say what whoever installs it will notice.")
    if chosen in kept():
        reasons.append(f"{chosen} is made already: scripts/release {chosen} --again publishes it as it is kept.")
    elif chosen and chosen not in last.followers():
        reasons.append(f"After {last} comes one of {', '.join(map(str, last.followers()))}, not {chosen}.")
    if reasons:
        raise Refused("\n".join(reasons))
    with tempfile.TemporaryDirectory() as folder:
        changes = bundles.changes_of_state(last.folder, bundles.render(Path(folder) / "bundle"))
    number = chosen or last.followers()[bool(changes)]
    if changes and number == last.followers()[0]:
        touched = "\n".join(f"  {change}" for change in changes)
        raise Refused(
            f"{number} would be a patch of {last}, and touches what outlives an upgrade:\n{touched}\nMake it a version: {last.followers()[1]}."
        )
    kind = "a patch, since nothing" if not changes else f"a version, since {len(changes)} places"
    typer.echo(f"{number}: {kind} of its setup touches what outlives an upgrade.")
    if subprocess.run([ROOT / "scripts/check"], cwd=ROOT).returncode:
        raise Refused("scripts/check finds something; the lines above say what.")
    if dry_run:
        typer.echo(
            f"app/manifest.yml, CHANGELOG.md and {number.folder.relative_to(ROOT)} would be written and committed."
        )
        return number
    with undone_on_failure({MANIFEST: text, CHANGELOG: changelog}, number.folder):
        MANIFEST.write_text(numbered(text, number))
        CHANGELOG.write_text(dated(changelog, number))
        bundles.render(number.folder)
        git("add", MANIFEST, CHANGELOG, number.folder)
        git("commit", "--quiet", "--message", f"Release {number}")
    typer.echo(f"{number} is committed. To take it back, as long as it is nowhere else: git reset --hard HEAD~1")
    return number


def unclean() -> list[str]:
    found = git("status", "--porcelain").splitlines()
    return [f"The clone is not clean: commit, or put aside, {len(found)} paths ({found[0][3:]} ..)."] if found else []


def git(*arguments: object) -> str:
    done = subprocess.run(["git", *map(str, arguments)], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise Refused(f"git {arguments[0]} failed: {done.stderr.strip()}")
    return done.stdout


def entries(changelog: str) -> list[str]:
    """The lines under [Unreleased] that say something."""
    part = changelog.partition("## [Unreleased]\n")[2].partition("\n## [")[0]
    return [line for line in part.splitlines() if line.startswith("- ")]


def numbered(text: str, number: Number) -> str:
    """The manifest with this version and label."""
    text = re.sub(r"(?m)^  name: \S+$", f"  name: {number.version}", text, count=1)
    return re.sub(r'(?m)^  label: ".*"$', f'  label: "{number.label}"', text, count=1)


def dated(changelog: str, number: Number) -> str:
    """The changelog with what was unreleased under this number and the day's date; headings without entries go."""
    head, _, rest = changelog.partition("## [Unreleased]\n")
    part, mark, older = rest.partition("\n## [")
    sections = [section for section in re.split(r"(?m)^(?=### )", part) if "\n- " in section]
    body = "\n\n".join(section.strip() for section in sections)
    return f"{head}## [Unreleased]\n\n## [{number}] - {datetime.now(UTC).date()}\n\n{body}\n{mark}{older}"


@contextmanager
def undone_on_failure(texts: dict[Path, str], folder: Path) -> Iterator[None]:
    """Puts files back, and removes a folder that was not there, where the block does not end well."""
    try:
        yield
    except BaseException:
        for path, text in texts.items():
            path.write_text(text)
        shutil.rmtree(folder, ignore_errors=True)
        raise


# publishing -------------------------------------------------------------------------------------------------------


def publish(number: Number, connection: str | None, channel: str, *, asked: bool) -> None:
    """Creates the version or patch of a snapshot, and directs the channel's consumers to it; can be called again."""
    package, _ = names()
    if connection and asked:
        typer.confirm(
            f"Direct the consumers of {package}, channel {channel}, on connection {connection}, to {number}?",
            abort=True,
        )
    if not connection:
        use_local_account()
    connection = connection or LOCAL
    with connected(connection) as session:
        present = patches(session, package, number.version)
        before = directive(session, package, channel)
    exists = present.get(number.patch)
    if exists and exists != number.label:
        raise Refused(
            f"{package} has {number.version} patch {number.patch} already, as '{exists}': it is not this release."
        )
    if not exists and number.patch != len(present):
        raise Refused(
            f"{package} has {len(present)} patches of {number.version}, so its next is patch {len(present)} and not {number.patch}: "
            f"publish the releases between with --again, in their order."
        )
    with project(number) as folder:
        if not exists:
            following = (
                ["--patch", number.patch] if number.patch else []
            )  # the client takes a patch only for a version that is there
            snow(
                ["version", "create", number.version, *following, "--label", number.label, "--skip-git-check"],
                connection,
                folder,
                again(number),
            )
        snow(
            ["publish", "--version", number.version, "--patch", number.patch, "--channel", channel],
            connection,
            folder,
            again(number),
        )
    with connected(connection) as session:
        after = directive(session, package, channel)
    if after != (number.version.upper(), number.patch):
        raise Refused(
            f"The default directive of channel {channel} names {after}, not {number.version} patch {number.patch}."
        )
    typer.echo(
        f"\n{number} is published: {package}, channel {channel}, {number.version} patch {number.patch}. Consumers are upgraded by themselves, or by ALTER APPLICATION .. UPGRADE."
    )
    if before and before != after:
        typer.echo(
            f"To direct them back: snow app release-directive set default --channel {channel} --version {before[0]} --patch {before[1]} --connection {connection}"
        )


def again(number: Number) -> str:
    return f"What is done stays: go on with scripts/release {number} --again. A version that nobody is directed to goes with: snow app version drop {number.version}"


def snow(arguments: list[object], connection: str, folder: Path, after_failure: str) -> None:
    # --force: every question that the client asks here was answered before; without it, it would wait for a person.
    command = [SNOW, "app", *arguments, "--force", "--connection", connection, "--project", folder]
    if subprocess.run([str(word) for word in command]).returncode:
        raise Refused(f"{shlex.join(map(str, command[:4]))} failed; the lines above say why. {after_failure}")


@contextmanager
def project(number: Number) -> Iterator[Path]:
    """A project of the client that holds the snapshot of a release and nothing else: what is published is what is kept."""
    definition = yaml.safe_load((ROOT / "snowflake.yml").read_text())["entities"]["package"]
    package = {
        **definition,
        "identifier": names()[0],
        "stage": STAGE,
        "artifacts": [{"src": "bundle/*", "dest": "./"}],
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(number.folder, folder / "bundle")
        (folder / "snowflake.yml").write_text(
            yaml.safe_dump({"definition_version": 2, "entities": {"package": package}})
        )
        yield folder


def patches(session: Any, package: str, version: str) -> dict[int, str]:
    """The labels of a version's patches in the account, by number; none where the package is not there yet."""
    return {
        row["patch"]: row["label"]
        for row in looked_up(session, f"show versions like '{version}' in application package {package}")
    }


def directive(session: Any, package: str, channel: str) -> tuple[str, int] | None:
    """Version and patch of the channel's default directive."""
    rows = looked_up(session, f"show release directives in application package {package} for release channel {channel}")
    return next(((row["version"], row["patch"]) for row in rows if row["name"] == "DEFAULT"), None)


def looked_up(session: Any, statement: str) -> list[dict[str, Any]]:
    from snowflake.connector import DictCursor
    from snowflake.connector.errors import ProgrammingError

    try:
        return session.cursor(DictCursor).execute(statement).fetchall()
    except ProgrammingError as error:
        if error.errno == NO_SUCH_PACKAGE:
            return []
        raise


if __name__ == "__main__":
    typer.run(release)
