"""Applications: installing, upgrading, looking at, dropping.

An application is a database whose objects belong to the application itself. Its setup script runs with the application's rights; the contents of
its versioned schemas are made anew for each generation (install or upgrade), so that a failed upgrade leaves the old code in place, while what it did to
ordinary schemas stays, as on Snowflake.
"""

from __future__ import annotations

import dataclasses
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local_account import access, blocks, feature_policies, manifests, packages, reply, roles, stages
from local_account.catalogue import HOME, quote
from local_account.errors import SqlError, denied, missing, unsupported
from local_account.session import Frame
from local_account.syntax import IDENTIFIER, fold, like, parse_options, split_path

if TYPE_CHECKING:
    from local_account.engine import Result
    from local_account.session import Session
    from local_account.syntax import Match

OPTIONS = ("COMMENT", "DEBUG_MODE", "AUTHORIZE_TELEMETRY_EVENT_SHARING", "BACKGROUND_INSTALL", "WITH FEATURE POLICY")
_SOURCE = re.compile(
    rf"(?:using\s+(?:'(?P<quoted>@[^']+)'|(?P<stage>@\S+)|version\s+(?P<version>{IDENTIFIER}|'[^']+')(?:\s+patch\s+(?P<patch>\d+))?)\s*)?"
    rf"(?:using\s+release\s+channel\s+(?P<channel>{IDENTIFIER})\s*)?(?P<options>[\s\S]*)\Z",
    re.IGNORECASE,
)


@dataclasses.dataclass(frozen=True)
class Source:
    """Where an application's files come from."""

    kind: str  # 'stage', 'version' or 'directive'
    snapshot: Path
    version: str | None
    patch: int | None
    channel: str
    options: dict[str, str]

    def document(self) -> dict[str, Any]:
        return {
            "source": self.kind,
            "snapshot": str(self.snapshot),
            "version": self.version,
            "patch": self.patch,
            "channel": self.channel,
        }


def application(session: Session, name: str) -> dict[str, Any]:
    document = access.database(session, name)
    if not document or document["kind"] != access.APPLICATION:
        raise missing("Application", name)
    return document


def _save(session: Session, name: str, **changes: Any) -> None:
    with session.account.change(HOME, session) as change:
        change.put("database", "", name, {**application(session, name), **changes})


def _source(session: Session, package: str, text: str, channel: str = "DEFAULT") -> Source:
    found = _SOURCE.match(text)
    assert found
    options = parse_options(found["options"], OPTIONS)
    if stage := found["quoted"] or found["stage"]:
        origin = stages.local_path(session, stage)
        manifests.require(origin, stage)
        snapshot = (
            session.account.directory / "snapshots" / f"{package}-stage-{session.account.clock.now().timestamp():.6f}"
        )
        shutil.copytree(origin, snapshot)  # later deploys must not change an installed application
        return Source("stage", snapshot, "UNVERSIONED", None, "", options)
    if found["version"]:
        version = fold(found["version"].strip("'"))
        snapshot, patch = packages.snapshot_of(
            session, package, version, int(found["patch"]) if found["patch"] else None
        )
        return Source("version", snapshot, version, patch, "", options)
    channel = fold(found["channel"]) if found["channel"] else channel or "DEFAULT"
    version, patch = packages.directed(session, package, channel)
    return Source(
        "directive", packages.snapshot_of(session, package, version, patch)[0], version, patch, channel, options
    )


# installing and upgrading -----------------------------------------------------------------------------------------


def _alone(act: Callable[[Session, Match], Result]) -> Callable[[Session, Match], Result]:
    """One installs, upgrades or drops an application at a time: Snowflake refuses the second."""

    def guarded(session: Session, match: Match) -> Result:
        moving, name = session.account.moving, match.name()
        if moving.setdefault(name, match) is not match:
            raise denied(
                f"application '{name}' is being installed, upgraded or dropped: try again when that has ended."
            )
        try:
            return act(session, match)
        finally:
            del moving[name]

    return guarded


@_alone
def create(session: Session, match: Match) -> Result:
    name, package = match.name(), match.name("package")
    access.require_on_account(session, "CREATE APPLICATION")
    packages.package(session, package)
    access.require_installer(session, package)
    if session.account.database(name):
        raise reply.exists(name)
    if not session.warehouse:
        raise SqlError(
            93_083, "No active warehouse selected in the current session: CREATE APPLICATION needs one (USE WAREHOUSE)."
        )
    source = _source(session, package, match.raw("rest"))
    manifest = manifests.require(source.snapshot, package)
    _require_debuggable(source.options, manifest, source.kind)
    session.commit_before_definition()
    session.account.create_database(
        name,
        {
            "kind": access.APPLICATION,
            "owner": session.role,
            "package": package,
            "comment": source.options.get("COMMENT", ""),
            "generation": 1,
            "upgrade_state": "INSTALLING",
            "requested": manifests.privileges(manifest),
            "privileges": manifests.granted(manifest),
            "debug_mode": source.options.get("DEBUG_MODE", "FALSE").upper(),
            "telemetry": source.options.get("AUTHORIZE_TELEMETRY_EVENT_SHARING", "FALSE").upper(),
            **feature_policies.with_policy(session, source.options.get("WITH FEATURE POLICY")),
            **source.document(),
        },
    )
    try:
        _run_setup(session, name, source.snapshot, manifest, 1)
    except BaseException:
        session.account.drop_database(name)
        if source.kind == "stage":
            shutil.rmtree(source.snapshot, ignore_errors=True)
        raise
    _save(session, name, upgrade_state="COMPLETE", upgraded_on=session.account.clock.now().isoformat())
    return reply.status(f"Application '{name}' created successfully.")


@_alone
def upgrade(session: Session, match: Match) -> Result:
    name = match.name()
    document = application(session, name)
    _require_owner(session, name, document)
    if not session.warehouse:
        raise SqlError(
            93_083,
            "No active warehouse selected in the current session: ALTER APPLICATION UPGRADE needs one (USE WAREHOUSE).",
        )
    source = _source(session, document["package"], match.raw("rest"), document.get("channel") or "DEFAULT")
    if "directive" in (document["source"], source.kind) and document["source"] != source.kind:
        number, which = (93_046, "in") if document["source"] == "directive" else (93_055, "outside")
        raise SqlError(number, f"This upgrade is only for applications {which} development mode; {name} is not.")
    if document["source"] != source.kind:
        number = 93_044 if document["source"] == "stage" else 93_045
        raise SqlError(
            number,
            f"Application {name} was installed from {'stage files' if number == 93_044 else 'a version'}: it cannot be upgraded to {'a version' if number == 93_044 else 'stage files'}; drop it first.",
        )
    manifest = manifests.require(source.snapshot, document["package"])
    before, generation = document["generation"], document["generation"] + 1
    held = sorted(
        set(document["privileges"]) | set(manifests.granted(manifest))
    )  # both versions' privileges while the script runs
    _save(
        session,
        name,
        upgrade_state="UPGRADING",
        privileges=held,
        requested=sorted({*document["requested"], *manifests.privileges(manifest)}),
    )
    _drop_generation(session, name, generation)  # what an earlier, failed upgrade left
    try:
        _run_setup(session, name, source.snapshot, manifest, generation)
    except Exception as error:
        _save(
            session,
            name,
            upgrade_state="FAILED",
            upgrade_failure_reason=str(error),
            privileges=document["privileges"],
            requested=document["requested"],
        )
        _drop_generation(session, name, generation)
        if source.kind == "stage":
            shutil.rmtree(source.snapshot, ignore_errors=True)
        old = manifests.read(Path(document["snapshot"]))
        _run_initializer(session, name, Path(document["snapshot"]), old, before)
        raise
    explicit = set(document["privileges"]) - set(manifests.granted(manifests.read(Path(document["snapshot"]))))
    _save(
        session,
        name,
        generation=generation,
        upgrade_state="COMPLETE",
        upgrade_failure_reason=None,
        upgraded_on=session.account.clock.now().isoformat(),
        privileges=sorted((explicit & set(manifests.privileges(manifest))) | set(manifests.granted(manifest))),
        requested=manifests.privileges(manifest),
        **source.document(),
    )
    _drop_generation(session, name, before - 1)  # calls that still run are on the one before
    if document["source"] == "stage":
        shutil.rmtree(document["snapshot"], ignore_errors=True)
    return reply.status(f"Application '{name}' upgraded successfully.")


def _run_setup(session: Session, name: str, snapshot: Path, manifest: dict[str, Any], generation: int) -> None:
    script = manifests.setup_script(snapshot, manifest)
    shown = f"/{script.relative_to(snapshot).as_posix()}"
    frame = Frame(
        "the setup script",
        name,
        None,
        application=name,
        generation=generation,
        snapshot=snapshot,
        file=shown,
        is_setup=True,
    )
    inner = session.nested(frame)
    try:
        blocks.run_file(inner, script, shown)
        inner.end_scope()
        _require_callbacks(inner, manifest)
        _run_initializer(session, name, snapshot, manifest, generation)
    except Exception as error:
        inner.abandon_scope()
        if not isinstance(error, SqlError):
            raise
        raise SqlError(
            93_082,
            f"Failed to execute setup script of application {name}. {error.errno:06d} ({error.sqlstate}): {error.message}",
        ) from error


_CALLED_WITH = {"version_initializer": "()", "register_callback": "(VARCHAR, VARCHAR, VARCHAR)"}


def _require_callbacks(inner: Session, manifest: dict[str, Any]) -> None:
    """The procedures that the manifest names stand where the setup script has just put them."""
    for key, written in manifests.callbacks(manifest):
        database, schema, name = inner.account.qualify(inner, split_path(written), "procedure")
        signatures = [found.name for found, _ in inner.account.catalogue.find("procedure", database, schema)]
        if not any(found == name + _CALLED_WITH.get(key, found.removeprefix(name)) for found in signatures):
            wanted = f"{written}{_CALLED_WITH.get(key, '')}"
            raise SqlError(
                2003, f"{key}: the setup script creates no procedure {wanted} (rules MAN-25, MAN-26, MAN-27)."
            )
        if key == "version_initializer" and "$" not in schema:
            raise SqlError(93_206, f"{key}: {written} must stand in a versioned schema (rule MAN-26).")
    if streamlit := (manifest.get("artifacts") or {}).get("default_streamlit"):
        place = inner.account.qualify(inner, split_path(streamlit), "streamlit")
        if not inner.account.catalogue.get("streamlit", *place):
            raise SqlError(2003, f"default_streamlit: the setup script creates no Streamlit {streamlit} (rule MAN-10).")


def _run_initializer(session: Session, name: str, snapshot: Path, manifest: dict[str, Any], generation: int) -> None:
    """lifecycle_callbacks.version_initializer, after a script that succeeded, or the old version's after one that failed."""
    from local_account.statements import execute

    if callback := (manifest.get("lifecycle_callbacks") or {}).get("version_initializer"):
        frame = Frame("version_initializer", name, None, application=name, generation=generation, snapshot=snapshot)
        execute(session.nested(frame), f"call {callback}()")


def _drop_generation(session: Session, name: str, generation: int) -> None:
    """The contents of an application's versioned schemas in one generation."""
    account = session.account
    suffix = f"${generation}"
    with account.change(name, session) as change:
        for key, document in account.catalogue.find("schema", name):
            if document.get("versioned"):
                change.execute(f"drop schema if exists {quote(name)}.{quote(key.name + suffix)} cascade")
        for kind in ("procedure", "function", "grant", "tracking", "stream", "stage", "streamlit", "view", "cased"):
            for key, _ in account.catalogue.find(kind, name):
                if key.schema.endswith(suffix) or (
                    kind == "grant" and not key.schema and key.name.split(":")[1].endswith(suffix)
                ):
                    change.delete(kind, key.schema, key.name)


def _require_owner(session: Session, name: str, document: dict[str, Any]) -> None:
    """An application has no rights of its caller: neither over others nor over itself."""
    if session.application or not {document["owner"], "ACCOUNTADMIN"} & access.roles_of(session):
        raise denied(f"Insufficient privileges to operate on application '{name}'.")


def set_options(session: Session, match: Match) -> Result:
    name = match.name()
    document = application(session, name)
    _require_owner(session, name, document)
    rest = match.raw("rest")
    if re.match(r"shared\s+telemetry\s+events", rest, re.IGNORECASE):
        return reply.status("Statement executed successfully.")
    options = parse_options(rest, ("DEBUG_MODE", "COMMENT", "AUTHORIZE_TELEMETRY_EVENT_SHARING"))
    _require_debuggable(options, manifests.read(Path(document["snapshot"])), document["source"])
    _save(
        session,
        name,
        comment=options.get("COMMENT", document["comment"]),
        telemetry=options.get("AUTHORIZE_TELEMETRY_EVENT_SHARING", document["telemetry"]).upper(),
        debug_mode=options.get("DEBUG_MODE", str(document.get("debug_mode", "FALSE"))).upper(),
    )
    return reply.status("Statement executed successfully.")


def _require_debuggable(options: dict[str, str], manifest: dict[str, Any], source: str) -> None:
    if "DEBUG_MODE" not in options:
        return
    if manifest.get("manifest_version") == 2:
        raise SqlError(
            93_362,
            "DEBUG_MODE cannot be set when the application's manifest_version is 2: use session debug (rule MAN-34).",
        )
    if source == "directive":
        raise SqlError(93_046, "DEBUG_MODE is for applications in development mode.")


def refuse_alter(session: Session, match: Match) -> Result:
    raise unsupported(f"ALTER APPLICATION {' '.join(match.raw('rest').split()[:3])}")


@_alone
def drop(session: Session, match: Match) -> Result:
    name = match.name()
    if match.has("if exists") and not access.database(session, name):
        return reply.status(f"Drop statement executed successfully ({name} already dropped).")
    document = application(session, name)
    _require_owner(session, name, document)
    session.commit_before_definition()
    roles.forget_application(session, name)
    session.account.drop_database(name)
    if document["source"] == "stage":
        shutil.rmtree(document["snapshot"], ignore_errors=True)
    if session.database == name:
        session.database = session.schema = None
    return reply.status(f"{name} successfully dropped.")


# looking ----------------------------------------------------------------------------------------------------------


def show(session: Session, match: Match) -> Result:
    pattern = packages._like(match.raw("rest"))
    rows = [
        {
            "created_on": datetime.fromisoformat(document["created_on"]),
            "name": key.name,
            "is_default": "N",
            "is_current": "Y" if session.database == key.name else "N",
            "source_type": "APPLICATION PACKAGE",
            "source": document["package"],
            "owner": document["owner"],
            "comment": document["comment"],
            "version": document["version"],
            "label": packages.label_of(session, document["package"], document["version"], document["patch"]),
            "patch": document["patch"],
            "options": "",
            "retention_time": 1,
            "upgrade_state": _upgrade_state(session, document),
            "type": "REGULAR",
        }
        for key, document in session.account.catalogue.find("database", HOME)
        if document["kind"] == access.APPLICATION and like(pattern, key.name) and access.sees(session, key.name)
    ]
    columns = "created_on name is_default is_current source_type source owner comment version label patch options retention_time upgrade_state type"
    return reply.rows(columns, rows, types={"patch": "fixed"})


def describe(session: Session, match: Match) -> Result:
    name = match.name()
    document = application(session, name)
    shown = {
        "name": name,
        "source_organization": "",
        "source_account": "",
        "source_type": "APPLICATION PACKAGE",
        "source": document["package"],
        "version": document["version"],
        "version_label": packages.label_of(session, document["package"], document["version"], document["patch"]),
        "patch": document["patch"],
        "created_on": document["created_on"],
        "restricted_callers_rights_enabled": "false",
        "owner": document["owner"],
        "debug_mode": document.get("debug_mode", "FALSE").lower(),
        "authorize_telemetry_event_sharing": document["telemetry"].lower(),
        "release_channel_name": document["channel"],
        "upgrade_state": _upgrade_state(session, document),
        "upgrade_failure_reason": document.get("upgrade_failure_reason"),
        "last_upgraded_on": document.get("upgraded_on"),
        "previous_version_state": "FINALIZING" if _is_finalizing(session, name, document) else "COMPLETE",
        "privileges": ", ".join(document["privileges"]),
    }
    return reply.rows("property value", [{"property": key, "value": value} for key, value in shown.items()])


def _upgrade_state(session: Session, document: dict[str, Any]) -> str:
    """QUEUED from the moment at which the release directive names another version until somebody upgrades: nobody does
    here by himself."""
    state = document["upgrade_state"]
    if state != "COMPLETE" or document["source"] != "directive":
        return state
    with suppress(SqlError):  # no package or directive any more
        if packages.directed(session, document["package"], document["channel"]) != (
            document["version"],
            document["patch"],
        ):
            return "QUEUED"
    return state


def _is_finalizing(session: Session, name: str, document: dict[str, Any]) -> bool:
    """Whether a call that began on an earlier version still runs (developer-guide/native-apps/versioned-schema)."""
    running = list(session.account.running)
    return any(database == name and generation < document["generation"] for database, generation, _ in running)


def show_owned(session: Session, match: Match) -> Result:
    """Objects outside the application that it owns: none can be made here (no CREATE DATABASE, WAREHOUSE and the like)."""
    application(session, match.name())
    return reply.rows("name type", [])


def show_telemetry(session: Session, match: Match) -> Result:
    document = application(session, match.name())
    manifest = manifests.read(Path(document["snapshot"]))
    definitions = (manifest.get("configuration") or {}).get("telemetry_event_definitions") or []
    rows = [
        {"name": f"SNOWFLAKE${entry['type']}", "type": entry["type"], "sharing": entry["sharing"], "status": "DISABLED"}
        for entry in definitions
    ]
    return reply.rows("name type sharing status", rows)


def show_privileges(session: Session, match: Match) -> Result:
    document = application(session, match.name())
    manifest = manifests.read(Path(document["snapshot"]))
    described = {
        next(iter(entry)).upper(): next(iter(entry.values()))["description"]
        for entry in manifest.get("privileges") or []
    }
    rows = [
        {
            "privilege": privilege,
            "description": described.get(privilege),
            "granted": str(access.owner_holds(session.account, match.name(), document["owner"], privilege)).lower(),
        }
        for privilege in document["requested"]
    ]
    return reply.rows("privilege description granted", rows)
