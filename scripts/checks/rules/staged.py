"""What the client stages: snowflake.yml, the files of the bundle, the consumer's README (developer-guide/snowflake-cli, security)."""

from __future__ import annotations

import re
import warnings
from pathlib import PurePosixPath
from typing import Any

import yaml
from local_account.syntax import PATH

from checks.rules import Faults, Project, rule

PLACE = "snowflake.yml"
JUNK = re.compile(
    r"(^|/)(tests?|__pycache__|\.git|\.env|\.venv|\.pytest_cache)(/|$)|\.(pyc|env|log|bak|orig)$|^snowflake\.yml$"
)
_BLOCK = re.compile(r"^```sql\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _definition(project: Project) -> dict[str, Any]:
    try:
        found = yaml.safe_load(project.project_file(PLACE))
    except yaml.YAMLError:
        return {}
    return found if isinstance(found, dict) else {}


def _entities(project: Project) -> list[dict[str, Any]]:
    return [entity for entity in (_definition(project).get("entities") or {}).values() if isinstance(entity, dict)]


def _refusals(project: Project) -> str:
    """What the client's own models say of snowflake.yml; empty when they take it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the client's imports warn of each other
        # Imported here, because it is slow and nothing else needs it.
        from snowflake.cli.api.project.errors import SchemaValidationError
        from snowflake.cli.api.project.schemas.project_definition import build_project_definition

    try:
        build_project_definition(**_definition(project))
    except (SchemaValidationError, TypeError, ValueError) as error:
        return " ".join(str(error).split())
    return ""


@rule("CLI-01")
def the_client_knows_the_definition(project: Project) -> Faults:
    definition = _definition(project)
    if str(definition.get("definition_version")) != "2":
        yield PLACE, "definition_version is 2"
    elif unknown := set(definition) - {"definition_version", "entities", "env", "mixins"}:
        yield PLACE, f"unknown: {', '.join(sorted(unknown))}"


@rule("CLI-02")
def the_client_knows_every_key(project: Project) -> Faults:
    if found := _refusals(project):
        yield PLACE, found


@rule("CLI-03")
def artifacts_are_there(project: Project) -> Faults:
    for entity in _entities(project):
        for artifact in entity.get("artifacts") or []:
            source = artifact if isinstance(artifact, str) else artifact.get("src", "")
            target = "" if isinstance(artifact, str) else str(artifact.get("dest") or "")
            if not list(project.root.glob(source)):
                yield PLACE, f"src {source} matches no file"
            if target.startswith("/"):
                yield PLACE, f"dest {target} is relative to the stage: no / before it"
            elif "*" in source and target and not target.endswith("/"):
                yield PLACE, f"dest {target}: several files go into a folder, which ends in /"


@rule("CLI-04")
def stages_have_a_schema(project: Project) -> Faults:
    for entity in _entities(project):
        for key in ("stage", "scratch_stage"):
            if key in entity and not re.fullmatch(r"\w+\.\w+", str(entity[key])):
                yield PLACE, f"{key} is written schema.stage, found {entity[key]}"


@rule("CLI-05")
def the_application_comes_from_a_package_of_the_file(project: Project) -> Faults:
    entities = _definition(project).get("entities") or {}
    for name, entity in entities.items():
        if entity.get("type") == "application":
            target = (entity.get("from") or {}).get("target")
            if (entities.get(target) or {}).get("type") != "application package":
                yield PLACE, f"{name} comes from {target}, which is no application package of this file"


@rule("CLI-06")
def no_children(project: Project) -> Faults:
    if any("children" in entity for entity in _entities(project)):
        yield PLACE, "children are not switched on in the client"


@rule("CLI-07")
def shared_events_are_mandatory_first(project: Project) -> Faults:
    for entity in _entities(project):
        telemetry = entity.get("telemetry") or {}
        if "optional_shared_events" in telemetry and telemetry.get("share_mandatory_events") is not True:
            yield PLACE, "optional_shared_events needs share_mandatory_events: true"


@rule("CLI-08")
def hooks_are_there(project: Project) -> Faults:
    for entity in _entities(project):
        for hook in ((entity.get("meta") or {}).get("post_deploy")) or []:
            path = str((hook or {}).get("sql_script", ""))
            if path.startswith("/") or ".." in path or not project.project_file(path):
                yield PLACE, f"post_deploy: {path} is no file below this folder"


@rule("CLI-09")
def a_warehouse_is_known(project: Project) -> Faults:
    has_one = any((entity.get("meta") or {}).get("warehouse") for entity in _entities(project))
    if not has_one and not re.search(r"#.*warehouse.*connection", project.project_file(PLACE), re.I):
        yield (
            PLACE,
            "meta.warehouse is missing, and no comment says that the connection brings one: the installation needs it",
        )


@rule("CLI-10")
def nothing_of_the_workshop_is_staged(project: Project) -> Faults:
    for name in project.bundle.files:
        if JUNK.search(name):
            yield name, "does not belong into a consumer's account"


@rule("CLI-11")
def every_staged_file_is_used(project: Project) -> Faults:
    bundle = project.bundle
    artifacts = bundle.manifest.get("artifacts") or {}
    used = {
        "manifest.yml",
        str(artifacts.get("setup_script") or "setup.sql"),
        str(artifacts.get("readme") or "README.md"),
    }
    used |= {path.lstrip("/") for code in bundle.code for path in code.signature.imports}
    used |= {statement.place.partition(",")[0] for statement in bundle.script}
    for name in bundle.files:
        # A package's __init__ is what makes it one in the clone; it is empty, and staged with the rest.
        is_empty_init = PurePosixPath(name).name == "__init__.py"
        if name not in used and not is_empty_init and not any(name.startswith(f"{page}/") for page in bundle.pages):
            yield name, "is staged, and nothing names it"


@rule("CLI-12")
def release_channels_are_a_decision(project: Project) -> Faults:
    for entity in _entities(project):
        if entity.get("type") == "application package" and "enable_release_channels" not in entity:
            yield (
                PLACE,
                "enable_release_channels: say true (which cannot be taken back) or false; new packages default to true",
            )


@rule("MKT-01")
def the_readme_says_what_a_consumer_asks(project: Project) -> Faults:
    name = str((project.bundle.manifest.get("artifacts") or {}).get("readme") or "README.md")
    text = project.bundle.text(name) if name in project.bundle.files else ""
    headings = " ".join(re.findall(r"^#+ (.+)$", text, re.MULTILINE)).lower()
    wanted = {
        "the first steps after the installation": "first|start|set.?up",
        "roles and who may do what": "who|role",
        "privileges and why": "privilege",
        "cost": "cost",
        "removing it": "remov|uninstall",
        "queries to begin with": "quer",
    }
    for what, pattern in wanted.items():
        if not re.search(pattern, headings):
            yield name, f"no heading tells of {what}"
    if not _BLOCK.search(text):
        yield name, "no SQL to try"


@rule("MKT-02")
def the_sql_of_the_readme_names_what_is_there(project: Project) -> Faults:
    name = str((project.bundle.manifest.get("artifacts") or {}).get("readme") or "README.md")
    text = project.bundle.text(name) if name in project.bundle.files else ""
    bundle = project.bundle
    known = {name for _, name in bundle.objects} | set(bundle.tasks)
    procedures = {code.name.partition(".")[2] for code in bundle.code}
    for block in _BLOCK.findall(text):
        block = re.sub(r"--[^\n]*|'(?:[^']|'')*'", "''", block)
        for called in re.findall(r"^\s*call\s+(?:\w+\.)*(\w+)\s*\(", block, re.IGNORECASE | re.MULTILINE):
            if called.lower() not in procedures:
                yield name, f"there is no procedure {called}"
        for schema, thing in re.findall(r"(?<![\w.])(?:retail_stream\.)?(\w+)\.(\w+)(?![\w(.])", block, re.I):
            if schema.lower() in bundle.schemas and f"{schema}.{thing}".lower() not in known:
                yield name, f"there is no {schema}.{thing}"


@rule("MKT-03")
def everything_can_be_read(project: Project) -> Faults:
    for name in project.bundle.files:
        try:
            longest = max(map(len, project.bundle.text(name).splitlines()), default=0)
        except UnicodeDecodeError:
            yield name, "is no text: reviewers read everything"
            continue
        if longest > 2_000:
            yield name, f"has a line of {longest} characters: is it minified?"


@rule("MKT-05")
def no_file_for_containers(project: Project) -> Faults:
    if "marketplace.yml" in project.bundle.files:
        yield "marketplace.yml", "is for compute pools and endpoints, which this app has none of"


# what stands outside the bundle and concerns it


@rule("MAN-34")
def no_debug_mode(project: Project) -> Faults:
    if project.bundle.manifest.get("manifest_version") == 2:
        for name in ("snowflake.yml", "app/setup.sql"):
            code = re.sub(r"(#|--).*", "", project.project_file(name))
            if re.search(r"\bdebug\s*:\s*true|\bdebug_mode\b", code, re.IGNORECASE):
                yield name, "DEBUG_MODE is refused with manifest_version 2 (93362): use a debug session"


@rule("SCH-08")
def nothing_outside_hangs_on_the_app(project: Project) -> Faults:
    scripts = re.findall(r"sql_script:\s*([\w./-]+)", project.project_file("snowflake.yml"))
    for name in scripts:
        for made in re.findall(rf"create\s+(?:or\s+replace\s+)?view\s+{PATH}", project.project_file(name), re.I):
            yield name, f"{made}: what post_deploy makes outside must not depend on objects of the app"
