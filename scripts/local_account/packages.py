"""Application packages: versions, patches, release channels, release directives.

A version is a copy of the stage's files, taken when it was registered.
"""

from __future__ import annotations

import json
import re
import shutil
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local_account import access, manifests, reply, roles, stages, system
from local_account.catalogue import HOME
from local_account.errors import SqlError, missing, syntax_error, unsupported
from local_account.syntax import IDENTIFIER, fold, like, parse_options

if TYPE_CHECKING:
    from local_account.engine import Result
    from local_account.session import Session
    from local_account.syntax import Match

PACKAGE = "APPLICATION PACKAGE"
MOST_PATCHES = 130
VERSIONS_IN_CHANNEL = 2
LONGEST_VERSION = 30
CHANNELS = {
    "QA": "Channel for quality assurance",
    "ALPHA": "Channel for early access",
    "DEFAULT": "Default release channel",
}
_WORD = rf"(?:{IDENTIFIER}|'[^']*')"


def package(session: Session, name: str) -> dict[str, Any]:
    document = access.database(session, name)
    if not document or document["kind"] != PACKAGE:
        raise missing("Application package", name)
    return document


def _save(session: Session, name: str, document: dict[str, Any]) -> None:
    with session.account.change(HOME, session) as change:
        change.put("database", "", name, document)


def create(session: Session, match: Match) -> Result:
    name = match.name()
    options = match.options(
        "COMMENT",
        "DISTRIBUTION",
        "ENABLE_RELEASE_CHANNELS",
        "MULTIPLE_INSTANCES",
        "DEFAULT_DDL_COLLATION",
        "DATA_RETENTION_TIME_IN_DAYS",
    )
    access.require_on_account(session, "CREATE APPLICATION PACKAGE")
    if session.account.database(name):
        if match.has("if not exists"):
            return reply.status(f"{name} already exists, statement succeeded.")
        raise reply.exists(name)
    session.commit_before_definition()
    session.account.create_database(
        name,
        {
            "kind": PACKAGE,
            "owner": session.role,
            "comment": options.get("COMMENT", ""),
            "distribution": options.get("DISTRIBUTION", "INTERNAL").upper(),
            "channels_enabled": options.get("ENABLE_RELEASE_CHANNELS", "TRUE").upper() == "TRUE",
            "multiple_instances": options.get("MULTIPLE_INSTANCES", "FALSE").upper() == "TRUE",
            "versions": {},
            "channels": {channel: {"versions": [], "accounts": [], "directives": {}} for channel in CHANNELS},
        },
    )
    return reply.status(f"Application Package '{name}' created successfully.")


def drop(session: Session, match: Match) -> Result:
    name = match.name()
    if match.has("if exists") and not access.database(session, name):
        return reply.status(f"Drop statement executed successfully ({name} already dropped).")
    document = package(session, name)
    access.require(session, "OWNERSHIP", "APPLICATION PACKAGE", name, "", name)
    installed = [
        key.name for key, other in session.account.catalogue.find("database", HOME) if other.get("package") == name
    ]
    if installed:  # there it can be dropped, and they can be used no more (sql-reference/sql/drop-application-package)
        raise SqlError(93_038, f"Application package {name} cannot be dropped: {', '.join(installed)} would be left.")
    session.commit_before_definition()
    for version in document["versions"].values():
        for patch in version["patches"].values():
            shutil.rmtree(patch["snapshot"], ignore_errors=True)
    session.account.drop_database(name)
    roles.forget(session, access.share_grantee(name))
    return reply.status(f"{name} successfully dropped.")


def _installed(session: Session, name: str) -> list[dict[str, Any]]:
    return [
        {**other, "package_version": other.get("version") if other.get("source") != "stage" else None}
        for _, other in session.account.catalogue.find("database", HOME)
        if other.get("package") == name
    ]


# changing ---------------------------------------------------------------------------------------------------------


def alter(session: Session, match: Match) -> Result:
    name, rest = match.name(), match.raw("rest")
    document = json.loads(json.dumps(package(session, name)))  # changed as a copy, kept when it holds
    for pattern, change in _CHANGES:
        if found := re.fullmatch(pattern, rest, re.IGNORECASE):
            if not access.may(session, _NEEDED.get(change, "MANAGE RELEASES"), PACKAGE, name, "", name):
                access.require(session, "OWNERSHIP", PACKAGE, name, "", name)
            result = change(session, name, document, {key: value or "" for key, value in found.groupdict().items()})
            _save(session, name, document)
            return result
    raise unsupported(f"ALTER APPLICATION PACKAGE {' '.join(rest.split()[:3])}")


def _set(session: Session, name: str, document: dict[str, Any], found: dict[str, str]) -> Result:
    for option, value in parse_options(
        found["rest"], ("ENABLE_RELEASE_CHANNELS", "DISTRIBUTION", "COMMENT", "MULTIPLE_INSTANCES")
    ).items():
        if option == "ENABLE_RELEASE_CHANNELS":
            if document["channels_enabled"] and value.upper() == "FALSE":
                raise SqlError(512_001, f"Release channels of {name} cannot be switched off once they are on.")
            document["channels_enabled"] = value.upper() == "TRUE"
        else:
            document[option.lower()] = value
    return reply.status("Statement executed successfully.")


def _register(session: Session, name: str, document: dict[str, Any], found: dict[str, str]) -> Result:
    if found["how"].upper() == "ADD" and document["channels_enabled"]:
        raise SqlError(512_023, f"Package {name} has release channels: use REGISTER VERSION.")
    snapshot, manifest = _copy(session, name, found["stage"])
    version = (
        fold(found["version"].strip("'"))
        if found["version"]
        else str((manifest.get("version") or {}).get("name", "")).upper()
    )
    if not version or len(version) > LONGEST_VERSION or not re.fullmatch(r"[A-Za-z0-9_\-$. ]+", version):
        raise SqlError(
            93_035,
            f"'{version}' is no version name: 1 to {LONGEST_VERSION} letters, digits, _ - $ . or spaces (rule VER-09).",
        )
    if version in document["versions"]:
        raise SqlError(93_030, f"Version {version} of {name} exists already: add a patch, or choose another name.")
    if (manifest.get("version") or {}).get("patch"):
        raise SqlError(93_170, "A new version has patch 0: take version.patch out of the manifest (rule MAN-07).")
    unbound = [
        other
        for other in document["versions"]
        if not any(other in channel["versions"] for channel in document["channels"].values())
    ]
    if document["channels_enabled"] and len(unbound) >= VERSIONS_IN_CHANNEL:
        raise SqlError(
            512_023,
            f"Package {name} has two registered versions that are in no channel ({', '.join(unbound)}): deregister one.",
        )
    now = session.account.clock.now().isoformat()
    label = found.get("label") or _label(manifest)
    document["versions"][version] = {
        "label": label,
        "created_on": now,
        "state": "READY",
        "patches": {"0": {"snapshot": str(snapshot), "created_on": now, "label": label}},
    }
    return reply.status(f"Version '{version}' for application package '{name}' created successfully.")


def _add_patch(session: Session, name: str, document: dict[str, Any], found: dict[str, str]) -> Result:
    version = _version(name, document, found["version"])
    patches = document["versions"][version]["patches"]
    number = int(found["patch"]) if found["patch"] else max(map(int, patches)) + 1
    if number <= max(map(int, patches)):
        raise SqlError(
            93_168 if str(number) in patches else 93_167,
            f"Patch {number} of version {version}: patch numbers only grow (newest is {max(map(int, patches))}).",
        )
    if number > MOST_PATCHES:
        raise SqlError(
            93_167, f"Version {version} has reached {MOST_PATCHES} patches: make a new version (rule VER-09)."
        )
    snapshot, manifest = _copy(session, name, found["stage"])
    _require_patchable(Path(patches[str(max(map(int, patches)))]["snapshot"]), manifest)
    now = session.account.clock.now().isoformat()
    patches[str(number)] = {
        "snapshot": str(snapshot),
        "created_on": now,
        "label": found.get("label") or _label(manifest),
    }
    return reply.rows(
        "status version patch",
        [{"status": f"Patch {number} added to version {version}.", "version": version, "patch": number}],
    )


def _label(manifest: dict[str, Any]) -> str:
    """What the manifest says where the statement gives no label."""
    return str((manifest.get("version") or {}).get("label") or "")


def _require_patchable(base: Path, manifest: dict[str, Any]) -> None:
    """A patch keeps manifest_version and privileges (developer-guide/native-apps/requesting-auto-privs)."""
    before = manifests.read(base)
    if before.get("manifest_version") != manifest.get("manifest_version") or manifests.privileges(
        before
    ) != manifests.privileges(manifest):
        raise SqlError(
            93_171,
            "A patch cannot change manifest_version or the list of privileges: make a new version (rule MAN-31).",
        )


def _drop_version(session: Session, name: str, document: dict[str, Any], found: dict[str, str]) -> Result:
    version = _version(name, document, found["version"])
    for channel, content in document["channels"].items():
        if any(directive["version"] == version for directive in content["directives"].values()):
            raise SqlError(
                93_088, f"Version {version} cannot be dropped: a release directive of channel {channel} points at it."
            )
        if version in content["versions"] and document["channels_enabled"]:
            raise SqlError(512_021, f"Version {version} cannot be deregistered: it is in channel {channel}.")
    if any(other["package_version"] == version for other in _installed(session, name)):
        raise SqlError(93_039, f"Version {version} cannot be dropped: an application is on it.")
    for patch in document["versions"].pop(version)["patches"].values():
        shutil.rmtree(patch["snapshot"], ignore_errors=True)
    return reply.status(f"Version '{version}' of application package '{name}' dropped successfully.")


def _change_channel(session: Session, name: str, document: dict[str, Any], found: dict[str, str]) -> Result:
    channel = _channel(document, found["channel"])
    action = found["action"].upper()
    if found["version"]:
        version = _version(name, document, found["version"])
        if action == "ADD":
            if version in channel["versions"]:
                raise SqlError(512_005, f"Version {version} is in the release channel already.")
            if len(channel["versions"]) >= VERSIONS_IN_CHANNEL:
                raise SqlError(
                    512_004,
                    f"A release channel holds {VERSIONS_IN_CHANNEL} versions at most ({', '.join(channel['versions'])}): drop one first.",
                )
            channel["versions"].append(version)
        else:
            if version not in channel["versions"]:
                raise SqlError(512_010, f"Version {version} is not in the release channel.")
            if any(directive["version"] == version for directive in channel["directives"].values()):
                raise SqlError(93_088, f"Version {version} cannot leave the channel: a release directive points at it.")
            channel["versions"].remove(version)
        return reply.status("Statement executed successfully.")
    if fold(found["channel"]) == "DEFAULT":
        raise SqlError(512_017, "Accounts cannot be set on the DEFAULT channel: it is for all.")
    _change_accounts(channel, action, found["accounts"])
    return reply.status("Statement executed successfully.")


def _change_accounts(holder: dict[str, Any], action: str, written: str) -> None:
    accounts = [account.strip().upper() for account in written.split(",") if account.strip()]
    kept = [] if action == "SET" else [account for account in holder["accounts"] if account not in accounts]
    holder["accounts"] = kept if action == "REMOVE" else kept + accounts


def _set_directive(session: Session, name: str, document: dict[str, Any], found: dict[str, str]) -> Result:
    channel = _channel(document, found["channel"] or "DEFAULT")
    directive = "DEFAULT" if found["default"] else fold(found["directive"])
    if found["action"].upper() == "SET" and bool(found["default"]) == bool(found["accounts"]):
        raise syntax_error("a release directive by name is set for ACCOUNTS = (..), the default one for all others.")
    if found["action"].upper() == "MODIFY" and directive not in channel["directives"]:
        raise SqlError(93_090, f"Release directive '{directive}' does not exist.")
    version = _version(name, document, found["version"])
    if document["channels_enabled"] and version not in channel["versions"]:
        raise SqlError(512_008, f"Version {version} is not in the release channel: add it first.")
    patch = found["patch"] or str(max(map(int, document["versions"][version]["patches"])))
    if patch not in document["versions"][version]["patches"]:
        raise SqlError(93_036, f"Patch {patch} of version {version} does not exist.")
    accounts = [account.strip().upper() for account in (found.get("accounts") or "").split(",") if account.strip()]
    now = session.account.clock.now().isoformat()
    before = channel["directives"].get(directive, {"created_on": now, "accounts": []})
    channel["directives"][directive] = {
        **before,
        "version": version,
        "patch": int(patch),
        "modified_on": now,
        "accounts": accounts or before["accounts"],
    }
    return reply.status(f"Release directive '{directive}' set to version '{version}' and patch '{patch}'.")


def _unset_directive(session: Session, name: str, document: dict[str, Any], found: dict[str, str]) -> Result:
    channel = _channel(document, found["channel"] or "DEFAULT")
    directive = fold(found["directive"])
    if directive == "DEFAULT":
        raise syntax_error("the default release directive can be set anew, and not unset.")
    if directive not in channel["directives"]:
        raise SqlError(93_090, f"Release directive '{directive}' does not exist.")
    del channel["directives"][directive]
    return reply.status("Statement executed successfully.")


def _directive_accounts(session: Session, name: str, document: dict[str, Any], found: dict[str, str]) -> Result:
    channel = _channel(document, found["channel"] or "DEFAULT")
    directive = fold(found["directive"])
    if directive not in channel["directives"]:
        raise SqlError(93_090, f"Release directive '{directive}' does not exist.")
    _change_accounts(channel["directives"][directive], found["action"].upper(), found["accounts"])
    return reply.status("Statement executed successfully.")


_IN_CHANNEL = rf"(?:modify\s+release\s+channel\s+(?P<channel>{_WORD})\s+)?"
_LABEL = r"(?:\s+label\s*=\s*'(?P<label>[^']*)')?"
_CHANGES = (
    (
        rf"(?P<how>register|add)\s+version(?:\s+(?P<version>{_WORD}))?\s+using\s+'?(?P<stage>@[^'\s]+)'?{_LABEL}",
        _register,
    ),
    (
        rf"add\s+patch(?:\s+(?P<patch>\d+))?\s+for\s+version\s+(?P<version>{_WORD})\s+using\s+'?(?P<stage>@[^'\s]+)'?{_LABEL}",
        _add_patch,
    ),
    (rf"(?:deregister|drop)\s+version\s+(?P<version>{_WORD})", _drop_version),
    (
        rf"{_IN_CHANNEL}(?P<action>set|modify)\s+(?:(?P<default>default\s+)release\s+directive|release\s+directive\s+(?P<directive>{_WORD}))"
        rf"(?:\s+accounts\s*=\s*\((?P<accounts>[^()]*)\))?\s+version\s*=\s*(?P<version>{_WORD})(?:\s+patch\s*=\s*(?P<patch>\d+))?",
        _set_directive,
    ),
    (rf"{_IN_CHANNEL}unset\s+release\s+directive\s+(?P<directive>{_WORD})", _unset_directive),
    (
        rf"{_IN_CHANNEL}modify\s+release\s+directive\s+(?P<directive>{_WORD})\s+(?P<action>add|remove)\s+accounts\s*=\s*\((?P<accounts>[^()]*)\)",
        _directive_accounts,
    ),
    (
        rf"modify\s+release\s+channel\s+(?P<channel>{_WORD})\s+(?P<action>add|drop)\s+version\s+(?P<version>{_WORD})(?P<accounts>)",
        _change_channel,
    ),
    (
        rf"modify\s+release\s+channel\s+(?P<channel>{_WORD})\s+(?P<action>add|remove|set)\s+accounts\s*=\s*\((?P<accounts>[^()]*)\)(?P<version>)",
        _change_channel,
    ),
    (r"set\s+(?P<rest>[\s\S]*)", _set),
)
# docs.snowflake.com/en/sql-reference/sql/alter-application-package, access control
_NEEDED = dict.fromkeys((_register, _add_patch, _drop_version), "MANAGE VERSIONS") | {_set: "OWNERSHIP"}


def _version(name: str, document: dict[str, Any], written: str) -> str:
    version = fold(written.strip("'"))
    if version not in document["versions"]:
        raise SqlError(93_031, f"Version {version} of application package {name} does not exist.")
    return version


def _channel(document: dict[str, Any], written: str) -> dict[str, Any]:
    channel = fold(written)
    if channel not in document["channels"]:
        raise SqlError(512_002, f"Release channel '{channel}' does not exist (there are: {', '.join(CHANNELS)}).")
    return document["channels"][channel]


def _copy(session: Session, name: str, written: str) -> tuple[Path, dict[str, Any]]:
    """A copy of a stage directory, and its manifest, checked."""
    source = stages.local_path(session, written)
    manifest = manifests.require(source, written)
    target = session.account.directory / "snapshots" / f"{name}-{session.account.clock.now().timestamp():.6f}"
    shutil.copytree(source, target)
    return target, manifest


# looking ----------------------------------------------------------------------------------------------------------


def show(session: Session, match: Match) -> Result:
    pattern = _like(match.raw("rest"))
    rows = [
        {
            "created_on": datetime.fromisoformat(document["created_on"]),
            "name": key.name,
            "is_default": "N",
            "is_current": "Y" if session.database == key.name else "N",
            "distribution": document["distribution"],
            "owner": document["owner"],
            "comment": document["comment"],
            "retention_time": "1",
            "options": "",
            "dropped_on": None,
            "application_class": None,
        }
        for key, document in session.account.catalogue.find("database", HOME)
        if document["kind"] == PACKAGE and like(pattern, key.name) and access.sees(session, key.name)
    ]
    return reply.rows(
        "created_on name is_default is_current distribution owner comment retention_time options dropped_on application_class",
        rows,
    )


def _like(rest: str) -> str:
    from local_account.syntax import TEXT, unquote_text

    if not rest:
        return "%"
    found = re.fullmatch(rf"like\s+({TEXT})", rest, re.IGNORECASE)
    if not found:
        raise syntax_error(f"unexpected '{rest}'.")
    return unquote_text(found[1])


def describe(session: Session, match: Match) -> Result:
    name = match.name()
    document = package(session, name)
    shown = {
        "name": name,
        "created_on": document["created_on"],
        "distribution": document["distribution"],
        "owner": document["owner"],
        "comment": document["comment"],
        "multiple_instances": str(document["multiple_instances"]).lower(),
        "release_channels": str(document["channels_enabled"]).lower(),
    }
    return reply.rows("property value", [{"property": key, "value": value} for key, value in shown.items()])


def show_versions(session: Session, match: Match) -> Result:
    pattern = match.literal("pattern") if match.raw("pattern") else "%"
    rows = [
        {
            "version": version,
            "patch": int(patch),
            "label": content["label"] or data["label"],
            "comment": None,
            "created_on": datetime.fromisoformat(content["created_on"]),
            "dropped_on": None,
            "log_level": manifests.level(manifests.read_once(Path(content["snapshot"])), "log_level"),
            "trace_level": manifests.level(manifests.read_once(Path(content["snapshot"])), "trace_level"),
            "state": "READY",
            "review_status": "NOT_REVIEWED",
        }
        for version, data in package(session, match.name())["versions"].items()
        if like(pattern, version)
        for patch, content in sorted(data["patches"].items(), key=lambda item: int(item[0]))
    ]
    return reply.rows(
        "version patch label comment created_on dropped_on log_level trace_level state review_status",
        rows,
        types={"patch": "fixed"},
    )


def show_directives(session: Session, match: Match) -> Result:
    document = package(session, match.name())
    wanted = match.path("channel")[-1] if match.raw("channel") else None
    rows = [
        {
            "name": directive,
            "target_type": "ACCOUNT" if content["accounts"] else None,
            "target_name": ", ".join(content["accounts"]) or None,
            "created_on": datetime.fromisoformat(content["created_on"]),
            "version": content["version"],
            "patch": content["patch"],
            "modified_on": datetime.fromisoformat(content["modified_on"]),
            "active_regions": "ALL",
            "pending_regions": "",
            "release_status": "DEPLOYED",
            "deployed_on": datetime.fromisoformat(content["modified_on"]),
            "release_channel_name": channel,
        }
        for channel, data in document["channels"].items()
        if wanted in (None, channel)
        for directive, content in data["directives"].items()
    ]
    columns = "name target_type target_name created_on version patch modified_on active_regions pending_regions release_status deployed_on release_channel_name"
    return reply.rows(columns, rows, types={"patch": "fixed"})


def show_channels(session: Session, match: Match) -> Result:
    document = package(session, match.name())
    created = datetime.fromisoformat(document["created_on"])
    rows = [
        {
            "name": channel,
            "description": CHANNELS[channel],
            "created_on": created,
            "updated_on": created,
            "targets": json.dumps({"accounts": data["accounts"]}) if data["accounts"] else json.dumps({}),
            "versions": json.dumps(data["versions"]),
        }
        for channel, data in document["channels"].items()
        if document["channels_enabled"]
    ]
    return reply.rows("name description created_on updated_on targets versions", rows)


def directed(session: Session, name: str, channel: str) -> tuple[str, int]:
    """(version, patch) that the release directive of a channel names for this account."""
    document = package(session, name)
    directives = _channel(document, channel)["directives"]
    here = f"{system.ORGANIZATION_NAME}.{system.ACCOUNT_NAME}"
    chosen = next(
        (content for content in directives.values() if here in content["accounts"]), directives.get("DEFAULT")
    )
    if not chosen:
        raise SqlError(
            93_054,
            f"No version of {name} is available to this account: no release directive is set in channel {channel}.",
        )
    return chosen["version"], chosen["patch"]


def label_of(session: Session, name: str, version: str, patch: int | None) -> str:
    """What consumers read beside a version and patch; '' where there is none, or no package any more."""
    versions = (session.account.database(name) or {}).get("versions", {})
    found = versions.get(version, {}).get("patches", {}).get(str(patch), {})
    return found.get("label") or versions.get(version, {}).get("label", "")


def snapshot_of(session: Session, name: str, version: str, patch: int | None) -> tuple[Path, int]:
    """The files of a version; without a patch those of its newest."""
    patches = package(session, name)["versions"][_version(name, package(session, name), version)]["patches"]
    number = max(map(int, patches)) if patch is None else patch
    if str(number) not in patches:
        raise SqlError(93_036, f"Patch {number} of version {version} does not exist.")
    return Path(patches[str(number)]["snapshot"]), number
