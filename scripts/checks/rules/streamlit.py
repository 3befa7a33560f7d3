"""The dashboard: what Streamlit can do inside a native application (developer-guide/native-apps/adding-streamlit)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import version
from pathlib import PurePosixPath
from typing import Any

import yaml
from local_account import manifests

from checks.bundle import Statement
from checks.rules import WARNING, Faults, Project, rule
from checks.rules.code import _called, strings, walk

VERSIONS = set(
    "1.22.0 1.26.0 1.29.0 1.31.1 1.35.0 1.39.0 1.42.0 1.44.0 1.44.1 1.45.0 1.45.1 1.46.1 1.47.0 1.48.0 1.49.1 1.50.0 1.51.0 1.52.0 "
    "1.52.1 1.52.2".split()
)
UNSUPPORTED = set(
    "bokeh_chart cache_data cache_resource camera_input file_uploader image pyplot scatter_chart video experimental_get_query_params "
    "experimental_set_query_params".split()
)
_QUERY = re.compile(r"\s*(?:select|with)\b", re.IGNORECASE)
_CHANGES = re.compile(r"\s*(?:create|alter|drop|grant|revoke|truncate|execute\s+task|undrop)\b", re.IGNORECASE)


def _pages(project: Project) -> list[Statement]:
    return [s for s in project.bundle.script if s.kind == "streamlit"]


def _folder(page: Statement) -> str:
    found = re.search(r"\bfrom\s+'([^']*)'", page.text, re.I)
    return found[1].strip("/") if found else ""


def _environment(project: Project, folder: str) -> dict[str, Any]:
    name = f"{folder}/environment.yml".lstrip("/")
    try:
        found = yaml.safe_load(project.bundle.text(name)) if name in project.bundle.files else {}
    except yaml.YAMLError:
        return {}
    return found if isinstance(found, dict) else {}


def _folders(project: Project) -> list[str]:
    return sorted({_folder(page) for page in _pages(project)})


def _pins(project: Project, folder: str) -> dict[str, str]:
    items = [str(item) for item in _environment(project, folder).get("dependencies") or []]
    return {item.partition("=")[0].strip(): item.partition("=")[2].strip("= ") for item in items}


def _calls(project: Project) -> Iterator[tuple[str, str, ast.Call]]:
    for name, tree in project.bundle.dashboard.items():
        for node in walk(tree):
            if isinstance(node, ast.Call) and (called := _called(node)):
                yield f"{name}, line {node.lineno}", called, node


def _texts(project: Project) -> Iterator[tuple[str, str]]:
    for name, tree in project.bundle.dashboard.items():
        for line, text in strings(tree):
            yield f"{name}, line {line}", text


@rule("UI-01")
def the_files_are_there(project: Project) -> Faults:
    for page in _pages(project):
        folder, main = _folder(page), re.search(r"\bmain_file\s*=\s*'/?([^']*)'", page.text, re.I)
        if re.search(r"\broot_location\b", page.text, re.I):
            yield page.place, "ROOT_LOCATION is not for apps: FROM '/folder'"
        elif not main or f"{folder}/{main[1]}".lstrip("/") not in project.bundle.files:
            yield page.place, f"{page.name}: FROM and MAIN_FILE name no file of the bundle"


@rule("UI-02")
def files_are_copied_anew(project: Project) -> Faults:
    for page in _pages(project):
        if not page.head.startswith("create or replace"):
            yield page.place, f"{page.name}: files are copied by CREATE, so an upgrade needs OR REPLACE"


@rule("UI-03")
def the_environment_is_snowflakes(project: Project) -> Faults:
    for folder in _folders(project):
        place, about = f"{folder}/environment.yml", _environment(project, folder)
        if about.get("channels", ["snowflake"]) != ["snowflake"]:
            yield place, "channels: [snowflake] is the only one that there is"
        elif set(about) != {"name", "channels", "dependencies"}:
            yield place, "holds name, channels: [snowflake] and dependencies, and nothing else", WARNING


@rule("UI-04")
def streamlit_is_pinned(project: Project) -> Faults:
    for folder in _folders(project):
        pinned = _pins(project, folder).get("streamlit")
        if pinned not in VERSIONS:
            yield (
                f"{folder}/environment.yml",
                f"streamlit={pinned}: Snowflake has {', '.join(sorted(VERSIONS)[-3:])}; without a pin it takes 1.22.0",
            )


@rule("UI-05")
def streamlit_can_do_it(project: Project) -> Faults:
    ours, softer = version("streamlit"), list[str]()
    for folder in _folders(project):
        if _pins(project, folder).get("streamlit") != ours:
            softer = [WARNING]
            yield (
                f"{folder}/environment.yml",
                f"pins another Streamlit than the environment of this clone has, {ours}: nothing tells whether its calls exist",
                *softer,
            )
    if project.bundle.dashboard:
        streamlit = import_module("streamlit")
        for place, called, _ in _calls(project):
            if re.fullmatch(r"st(\.\w+)+", called) and not hasattr(streamlit, called.split(".")[1]):
                yield place, f"{called} is not in Streamlit {ours}", *softer


@rule("UI-06")
def nothing_that_apps_cannot_show(project: Project) -> Faults:
    """Warnings: what the page on apps lists as unsupported, the one on Streamlit in Snowflake partly allows (developer-guide/streamlit/limitations)."""
    for place, called, node in _calls(project):
        name = called.removeprefix("st.")
        if called.startswith("st.") and (name in UNSUPPORTED or name.startswith("components.")):
            yield place, f"{called} does not work in an app", WARNING
        if called == "st.set_page_config" and {"page_title", "page_icon"} & {keyword.arg for keyword in node.keywords}:
            yield place, "set_page_config: page_title and page_icon do nothing in an app", WARNING
    for name, tree in project.bundle.dashboard.items():
        for part in walk(tree):
            for decorator in getattr(part, "decorator_list", []):
                written = ast.unparse(decorator).partition("(")[0]
                if written.removeprefix("st.") in UNSUPPORTED:
                    yield f"{name}, line {decorator.lineno}", f"{written} does not work in an app", WARNING


@rule("UI-07")
def the_permission_sdk_is_asked_for(project: Project) -> Faults:
    for name, tree in project.bundle.dashboard.items():
        guarded = {id(part) for node in walk(tree) if isinstance(node, ast.Try) for part in ast.walk(node)}
        for node in walk(tree):
            if isinstance(node, (ast.Import, ast.ImportFrom)) and "snowflake.permissions" in ast.unparse(node):
                if not any("snowflake-native-apps-permission" in _pins(project, f) for f in _folders(project)):
                    yield (
                        f"{name}, line {node.lineno}",
                        "snowflake.permissions needs snowflake-native-apps-permission in environment.yml",
                    )
                if id(node) not in guarded:
                    yield (
                        f"{name}, line {node.lineno}",
                        "snowflake.permissions is there in Snowsight only: guard the import",
                        WARNING,
                    )


@rule("UI-08")
def only_privileges_of_the_manifest_are_asked_for(project: Project) -> Faults:
    known = set(manifests.privileges(project.bundle.manifest))
    for place, called, node in _calls(project):
        if called.endswith("request_account_privileges"):
            asked = {
                part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)
            }
            if missing := asked - known:
                yield place, f"{', '.join(sorted(missing))}: not in the manifest"


@rule("UI-09")
def nothing_from_outside(project: Project) -> Faults:
    for name in project.bundle.files:
        if name.endswith(".streamlit/config.toml"):
            yield name, "config files are ignored in an app", WARNING
    for place, text in _texts(project):
        if re.search(r"<script|<link\b|@import|url\(\s*['\"]?https?:", text, re.I):
            yield place, "scripts and styles from outside are blocked"


@rule("UI-10")
def what_is_shown_is_bounded(project: Project) -> Faults:
    bounded = re.compile(
        r"\blimit\b|\bgroup\s+by\b|\b(?:count|sum|avg|min|max)\s*\(|\bwhere\b[\s\S]*=\s*\?|\btop\s+\d", re.I
    )
    for place, text in _texts(project):
        if (
            _QUERY.match(text)
            and re.search(r"\bfrom\s+(?:raw_data|bronze|gold|truth)\.", text, re.I)
            and not bounded.search(text)
        ):
            yield place, "a message holds 32 MB: aggregate, or LIMIT"


@rule("UI-11")
def nobody_is_known(project: Project) -> Faults:
    for name, tree in project.bundle.dashboard.items():
        for node in walk(tree):
            if isinstance(node, ast.Attribute) and ast.unparse(node) in ("st.user", "st.experimental_user"):
                yield f"{name}, line {node.lineno}", "the viewer's name is not given to apps"
    for place, text in _texts(project):
        if _QUERY.match(text) and re.search(r"\bcurrent_(?:user|session)\b", text, re.I):
            yield place, "CURRENT_USER and CURRENT_SESSION are NULL in an app's Streamlit"


@rule("UI-12")
def the_page_is_python_3_11(project: Project) -> Faults:
    for folder in _folders(project):
        pinned = _pins(project, folder).get("python")
        if pinned not in (None, "3.11", "3.11.*"):
            softer = (WARNING,) if pinned in ("3.9", "3.9.*", "3.10", "3.10.*") else ()
            yield f"{folder}/environment.yml", f"python={pinned}: the warehouse runtime ends at 3.11", *softer
        for name in project.bundle.files:
            if (
                name.endswith(".py")
                and PurePosixPath(name).is_relative_to(folder)
                and name not in project.bundle.modules
            ):
                yield name, "is no Python 3.11"


@rule("UI-13")
def queries_name_objects_of_the_app(project: Project) -> Faults:
    known = {name for _, name in project.bundle.objects}
    for place, text in _texts(project):
        if _QUERY.match(text):
            for found in re.findall(
                r"\b(?:from|join)\s+(?!table\b|lateral\b)([a-z_][\w$]*(?:\.[a-z_][\w$]*)+)", text, re.I
            ):
                if found.lower() not in known and not found.lower().startswith("information_schema."):
                    yield place, f"{found} is no object of the app"


@rule("UI-14")
def a_button_calls_a_procedure(project: Project) -> Faults:
    for place, text in _texts(project):
        if (
            "<" not in text
            and _CHANGES.match(text)
            and re.search(r"\b(?:table|view|task|schema|role|procedure|stream)\b", text, re.I)
        ):
            yield place, f"'{' '.join(text.split())[:40]}': the page calls procedures, and changes nothing by itself"
