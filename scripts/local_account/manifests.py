"""manifest.yml: what it may say (developer-guide/native-apps/manifest-reference)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from local_account.errors import SqlError
from local_account.syntax import IDENTIFIER

# The keys of each mapping; "reference" is an entry of the list of references.
KEYS = {
    "": "manifest_version version artifacts configuration privileges references lifecycle_callbacks restricted_callers_rights "
    "restricted_features snowflake_database",
    "version": "name patch label comment",
    "artifacts": "setup_script readme default_streamlit default_web_endpoint extension_code container_services",
    "configuration": "log_level trace_level metric_level log_event_level grant_callback telemetry_event_definitions",
    "lifecycle_callbacks": "version_initializer validate_configuration_change before_configuration_change after_configuration_change "
    "after_server_connection_change after_client_connection_change after_server_version_change after_specification_change "
    "specification_action",
    "restricted_callers_rights": "enabled description",
    "reference": "label description privileges object_type multi_valued register_callback configuration_callback required_at_setup",
}
_SEVERITIES = "OFF TRACE DEBUG INFO WARN ERROR FATAL".split()
LEVELS = dict.fromkeys(("log_level", "log_event_level"), _SEVERITIES)
LEVELS |= {"trace_level": ["OFF", "ALWAYS", "ON_EVENT"], "metric_level": ["ALL", "NONE"]}
_EVENTS = "ALL ALL_EVENTS ERRORS_AND_WARNINGS TRACES USAGE_LOGS DEBUG_LOGS METRICS".split()
TELEMETRY = {"type": _EVENTS, "sharing": ["MANDATORY", "OPTIONAL"]}
# What an application may ask for on the object that a reference stands for (developer-guide/native-apps/requesting-refs).
REFERENCED = {"WAREHOUSE": {"MODIFY", "MONITOR", "USAGE", "OPERATE"}}
_PROCEDURE = re.compile(rf"{IDENTIFIER}\.{IDENTIFIER}")
# Granted with the installation by manifest version 2 (developer-guide/native-apps/requesting-auto-privs).
AUTOMATIC = {"EXECUTE TASK", "EXECUTE MANAGED TASK", "CREATE WAREHOUSE", "CREATE COMPUTE POOL"}
AUTOMATIC |= {"BIND SERVICE ENDPOINT", "CREATE DATABASE"}
REQUESTABLE = AUTOMATIC | {"EXECUTE ALERT", "IMPORTED PRIVILEGES ON SNOWFLAKE DB", "MANAGE WAREHOUSES", "READ SESSION"}
REQUESTABLE_IN_2 = {
    f"CREATE {what}" for what in ("EXTERNAL ACCESS INTEGRATION", "SECURITY INTEGRATION", "SHARE", "LISTING")
}


class _Loader(yaml.SafeLoader):
    """Refuses doubled keys, which YAML loaders usually let the last one win."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [loader.construct_object(key) for key, _ in node.value]
    if doubled := {key for key in keys if keys.count(key) > 1}:
        raise yaml.YAMLError(f"doubled key: {', '.join(map(str, doubled))}")
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read(root: Path) -> dict[str, Any]:
    return yaml.load((root / "manifest.yml").read_text(encoding="utf-8"), _Loader) or {}


read_once = lru_cache(maxsize=32)(read)  # of snapshots, which never change


def level(manifest: dict[str, Any], which: str) -> str:
    """A telemetry level; nothing is captured where none is set, and an unquoted OFF is false to YAML 1.1."""
    return str((manifest.get("configuration") or {}).get(which) or "OFF").upper()


def require(root: Path, shown: str) -> dict[str, Any]:
    """The manifest below a directory, checked as Snowflake checks it when a version or an application is made."""
    if not (root / "manifest.yml").is_file():
        raise SqlError(93_009, f"The file manifest.yml is not at the root of {shown} (rule MAN-01).")
    for errno, fault in faults(root):
        raise SqlError(errno, f"manifest.yml: {fault}")
    return read(root)


def faults(root: Path) -> Iterator[tuple[int, str]]:
    """What Snowflake would refuse of a manifest, each with its number."""
    try:
        manifest = read(root)
    except yaml.YAMLError as error:
        yield 93_300, f"invalid YAML: {error} (rule MAN-02)"
        return
    if not isinstance(manifest, dict):
        yield 93_303, "the top level must be a mapping (rule MAN-02)."
        return
    if wrong := [key for key in KEYS if key and not isinstance(manifest.get(key) or {}, dict)]:
        yield 93_302, f"{', '.join(wrong)}: a mapping is expected (rule MAN-05)."
        return
    sections: dict[str, Any] = {"": manifest} | {
        key: manifest.get(key) for key in KEYS if key and isinstance(manifest.get(key), dict)
    }
    references = [pair for entry in _entries(manifest, "references") for pair in entry.items()]
    references = [(name, about if isinstance(about, dict) else {}) for name, about in references]
    sections |= {f"reference {name}": about for name, about in references}
    for section, content in sections.items():
        if unknown := sorted(map(str, set(content) - set(KEYS[section.split(" ")[0]].split()))):
            where = f" in {section} (rule MAN-05)" if section else " (rule MAN-04)"
            yield 93_301, f"unrecognized field(s): {', '.join(unknown)}{where}."
    yield from ((93_302, fault) for fault in _unexpected(manifest, references))
    script = setup_script(root, manifest)
    if not re.fullmatch(r"[\w\-./\\]+", str(script.relative_to(root))) or not script.is_file():
        yield 93_003, f"the setup script '{script.name}' is not on the stage (rule MAN-08)."
    elif not script.read_bytes().strip():
        yield 93_084, f"the setup script '{script.name}' is empty (rule MAN-08)."


def _entries(manifest: dict[str, Any], key: str) -> list[dict[str, Any]]:
    return [entry for entry in manifest.get(key) or [] if isinstance(entry, dict)]


def _unexpected(manifest: dict[str, Any], references: list[tuple[str, Any]]) -> Iterator[str]:
    """Values that the manifest may not have."""
    version = manifest.get("manifest_version")
    if version not in (1, 2):
        yield f"manifest_version must be 1 or 2, found {version!r} (rule MAN-03)."
    name = (manifest.get("version") or {}).get("name")
    if name is not None and not re.fullmatch(r"[A-Za-z0-9_\-$. ]{1,30}", str(name)):
        yield f"version.name '{name}': 1 to 30 letters, digits, _ - $ . or spaces (rule MAN-06)."
    artifacts = manifest.get("artifacts") or {}
    if "default_streamlit" in artifacts:
        if not _PROCEDURE.fullmatch(str(artifacts["default_streamlit"])):
            yield "artifacts.default_streamlit is written schema.streamlit (rule MAN-10)."
        if "default_web_endpoint" in artifacts:
            yield "artifacts: default_streamlit and default_web_endpoint exclude each other (rule MAN-12)."
    for entry in manifest.get("privileges") or []:
        if not isinstance(entry, dict) or len(entry) != 1 or not (next(iter(entry.values())) or {}).get("description"):
            yield f"a privilege is one key with its description nested below it, found {entry!r} (rule MAN-15)."
        elif next(iter(entry)).upper() not in REQUESTABLE | (REQUESTABLE_IN_2 if version == 2 else set()):
            yield f"the privilege '{next(iter(entry))}' cannot be requested (rule MAN-14)."
    configuration = manifest.get("configuration") or {}
    for key, allowed in LEVELS.items():
        level = configuration.get(key, "OFF" if "OFF" in allowed else "NONE")
        if (str(level).upper() if level is not False else "OFF") not in allowed:
            yield f"configuration.{key} is one of {', '.join(allowed)} (rule MAN-21)."
    for event in _entries(configuration, "telemetry_event_definitions"):
        for key, allowed in TELEMETRY.items():
            if event.get(key) not in allowed:
                yield f"telemetry_event_definitions: {key} is one of {', '.join(allowed)} (rule MAN-23)."
    for key, procedure in callbacks(manifest):
        if not _PROCEDURE.fullmatch(str(procedure)):
            yield f"{key} is written schema.procedure, found '{procedure}' (rule MAN-25)."
    for name, about in references:
        needed = ["label", "description", "privileges", "object_type", "register_callback"]
        missing = [key for key in needed if not about.get(key)]
        if missing:
            yield f"reference {name}: {', '.join(missing)} missing (rule MAN-28)."
            continue
        kind = str(about["object_type"]).upper().replace("_", " ")
        asked = {str(privilege).upper() for privilege in about["privileges"]}
        if unfit := asked - REFERENCED.get(kind, asked):
            yield f"reference {name}: {', '.join(sorted(unfit))} cannot be asked for on a {kind} (rule MAN-28)."
        if ("configuration_callback" in about) != (kind in ("EXTERNAL ACCESS INTEGRATION", "SECRET")):
            yield f"reference {name}: configuration_callback goes with EXTERNAL ACCESS INTEGRATION and SECRET, always and only (rule MAN-29)."


def practices(manifest: dict[str, Any]) -> Iterator[str]:
    """What Snowflake takes and advises against."""
    asked = [name.upper() for entry in _entries(manifest, "privileges") for name in entry]
    for name in sorted({name for name in asked if asked.count(name) > 1}):
        yield f"the privilege {name} is asked for twice (rule MAN-16)."
    artifacts = manifest.get("artifacts") or {}
    if {"container_services", "default_web_endpoint"} & set(artifacts) or "CREATE COMPUTE POOL" in asked:
        yield "an application without containers needs no container_services, web endpoint or compute pool (rule MAN-13)."
    configuration = manifest.get("configuration") or {}
    if configuration.get("trace_level", "OFF") != "OFF":
        yield "configuration.trace_level: traces may show calls of hidden procedures to readers of the event table (rule MAN-22)."
    if any(event.get("sharing") == "MANDATORY" for event in _entries(configuration, "telemetry_event_definitions")):
        yield "telemetry_event_definitions: MANDATORY sharing makes the installation fail where it is not authorised (rule MAN-24)."


def callbacks(manifest: dict[str, Any]) -> list[tuple[str, str]]:
    """The procedures that Snowflake calls, by the key that names them."""
    found = list((manifest.get("lifecycle_callbacks") or {}).items())
    found += [item for item in (manifest.get("configuration") or {}).items() if item[0] == "grant_callback"]
    for entry in _entries(manifest, "references"):
        for about in (value for value in entry.values() if isinstance(value, dict)):
            found += [item for item in about.items() if item[0] in ("register_callback", "configuration_callback")]
    return found


def privileges(manifest: dict[str, Any]) -> list[str]:
    """The account privileges that it asks for."""
    return sorted(name.upper() for entry in _entries(manifest, "privileges") for name in entry)


def granted(manifest: dict[str, Any]) -> list[str]:
    """The privileges that arrive with the installation."""
    return [
        name
        for name in privileges(manifest)
        if manifest["manifest_version"] == 2 and name in AUTOMATIC | REQUESTABLE_IN_2
    ]


def setup_script(root: Path, manifest: dict[str, Any]) -> Path:
    return root / str((manifest.get("artifacts") or {}).get("setup_script") or "setup.sql").lstrip("/")
