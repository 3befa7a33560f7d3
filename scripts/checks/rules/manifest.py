"""The manifest, and what it promises of the setup script (developer-guide/native-apps/manifest-reference)."""

from __future__ import annotations

import re

from local_account import manifests

from checks.rules import WARNING, Faults, Project, rule

PLACE = "manifest.yml"
# What shows that an account privilege is needed; a privilege that nothing shows is asked for in vain.
NEEDED_BY = {
    "EXECUTE TASK": r"create\s+(or\s+\w+\s+)?task\b|alter\s+task\b|execute\s+task\b",
    "EXECUTE MANAGED TASK": r"create\s+(or\s+\w+\s+)?task\b(?![\s\S]*\bwarehouse\s*=)",
    "CREATE WAREHOUSE": r"create\s+(or\s+replace\s+)?warehouse\b",
    "CREATE DATABASE": r"create\s+(or\s+replace\s+)?database\b",
    "CREATE COMPUTE POOL": r"create\s+compute\s+pool\b",
    "BIND SERVICE ENDPOINT": r"create\s+service\b",
    "IMPORTED PRIVILEGES ON SNOWFLAKE DB": r"\bsnowflake\s*\.\s*\w+\s*\.",
    "EXECUTE ALERT": r"create\s+(or\s+replace\s+)?alert\b",
    "READ SESSION": r"\bcurrent_(user|session)\s*\(",
}
CONTAINERS = {"CREATE COMPUTE POOL", "BIND SERVICE ENDPOINT"}


@rule("MAN-07")
def no_patch(project: Project) -> Faults:
    version = project.bundle.manifest.get("version") or {}
    if "patch" in version:
        softer = () if version["patch"] else (WARNING,)  # 0 serves one version, and breaks its next patch
        yield (
            PLACE,
            "version.patch breaks the next patch, or the version: take it out, Snowflake numbers patches",
            *softer,
        )


@rule("MAN-09")
def readme(project: Project) -> Faults:
    named = str((project.bundle.manifest.get("artifacts") or {}).get("readme") or "")
    if not named.endswith(".md"):
        yield PLACE, "artifacts.readme names no .md file: the consumer's page in Snowsight stays empty"
    elif named not in project.bundle.files or not project.bundle.text(named).strip():
        yield PLACE, f"artifacts.readme names {named}, which is not there or empty"


@rule("MAN-13")
def no_containers(project: Project) -> Faults:
    artifacts = project.bundle.manifest.get("artifacts") or {}
    asked = CONTAINERS & set(manifests.privileges(project.bundle.manifest))
    for key in sorted({"container_services", "default_web_endpoint"} & set(artifacts)) + sorted(asked):
        yield PLACE, f"{key} is for apps with containers: take it out"


@rule("MAN-19")
def no_needless_privilege(project: Project) -> Faults:
    everything = [statement.text for statement in project.bundle.statements]
    for privilege in manifests.privileges(project.bundle.manifest):
        needed = NEEDED_BY.get(privilege, rf"create\s+(or\s+replace\s+)?{privilege.lower().removeprefix('create ')}\b")
        if not any(re.search(needed, text, re.IGNORECASE) for text in everything):
            yield PLACE, f"no statement of the app needs {privilege}: do not ask for it"


@rule("MAN-20")
def no_task_before_its_privilege(project: Project) -> Faults:
    if project.bundle.manifest.get("manifest_version") == 1:
        for statement in project.bundle.script:
            if statement.kind == "task" or re.match(r"call\b|alter\s+task\b", statement.text, re.IGNORECASE):
                yield (
                    statement.place,
                    "with manifest_version 1 no task can be made or resumed while the app is installed, and what is called here may do so",
                )


@rule("MAN-26")
def initializer(project: Project) -> Faults:
    named = (project.bundle.manifest.get("lifecycle_callbacks") or {}).get("version_initializer")
    for code in project.bundle.code:
        if named and code.name == str(named).lower():
            if not project.bundle.is_versioned(code.name):
                yield code.place, f"version_initializer {named} stands in an ordinary schema: put it in a versioned one"
            if code.signature.arguments:
                yield code.place, f"version_initializer {named} takes arguments: Snowflake calls it without any"


@rule("MAN-27")
def register_callbacks(project: Project) -> Faults:
    for key, named in manifests.callbacks(project.bundle.manifest):
        for code in project.bundle.code:
            if key == "register_callback" and code.name == str(named).lower() and code.types != ["VARCHAR"] * 3:
                yield code.place, f"{named} is called with (name, operation, reference or alias), three VARCHARs"
