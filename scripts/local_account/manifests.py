"""manifest.yml: what it may say (developer-guide/native-apps/manifest-reference)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from local_account.errors import SqlError

TOP_LEVEL = {
    "manifest_version",
    "version",
    "artifacts",
    "configuration",
    "privileges",
    "references",
    "lifecycle_callbacks",
    "restricted_callers_rights",
    "restricted_features",
    "snowflake_database",
}
# Granted with the installation by manifest version 2 (developer-guide/native-apps/requesting-auto-privs).
AUTOMATIC = {
    "EXECUTE TASK",
    "EXECUTE MANAGED TASK",
    "CREATE WAREHOUSE",
    "CREATE COMPUTE POOL",
    "BIND SERVICE ENDPOINT",
    "CREATE DATABASE",
}
REQUESTABLE = AUTOMATIC | {"EXECUTE ALERT", "IMPORTED PRIVILEGES ON SNOWFLAKE DB", "MANAGE WAREHOUSES", "READ SESSION"}
REQUESTABLE_IN_2 = {
    "CREATE EXTERNAL ACCESS INTEGRATION",
    "CREATE SECURITY INTEGRATION",
    "CREATE SHARE",
    "CREATE LISTING",
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


def require(root: Path, shown: str) -> dict[str, Any]:
    """The manifest below a directory, checked as Snowflake checks it when a version or an application is made."""
    if not (root / "manifest.yml").is_file():
        raise SqlError(93_009, f"The file manifest.yml is not at the root of {shown}.")
    try:
        manifest = read(root)
    except yaml.YAMLError as error:
        raise SqlError(93_300, f"manifest.yml: invalid YAML: {error}") from None
    if not isinstance(manifest, dict):
        raise SqlError(93_303, "manifest.yml: the top level must be a mapping.")
    if unknown := sorted(set(manifest) - TOP_LEVEL):
        raise SqlError(93_301, f"manifest.yml: unrecognized field(s): {', '.join(unknown)}.")
    if manifest.get("manifest_version") not in (1, 2):
        raise SqlError(
            93_302, f"manifest.yml: manifest_version must be 1 or 2, found {manifest.get('manifest_version')!r}."
        )
    for privilege in privileges(manifest):
        if privilege not in REQUESTABLE | (REQUESTABLE_IN_2 if manifest["manifest_version"] == 2 else set()):
            raise SqlError(93_302, f"manifest.yml: the privilege '{privilege}' cannot be requested.")
    if not setup_script(root, manifest).is_file():
        raise SqlError(
            93_003, f"The setup script '{setup_script(root, manifest).name}' named by the manifest is not on the stage."
        )
    return manifest


def privileges(manifest: dict[str, Any]) -> list[str]:
    """The account privileges that it asks for."""
    found = []
    for entry in manifest.get("privileges") or []:
        if not isinstance(entry, dict) or len(entry) != 1 or not isinstance(next(iter(entry.values())), dict):
            raise SqlError(
                93_302, f"manifest.yml: a privilege is one key with its description nested below it, found {entry!r}."
            )
        found.append(next(iter(entry)).upper())
    return sorted(found)


def granted(manifest: dict[str, Any]) -> list[str]:
    """The privileges that arrive with the installation."""
    return [name for name in privileges(manifest) if manifest["manifest_version"] == 2 and name in AUTOMATIC]


def setup_script(root: Path, manifest: dict[str, Any]) -> Path:
    return root / str((manifest.get("artifacts") or {}).get("setup_script") or "setup.sql").lstrip("/")
