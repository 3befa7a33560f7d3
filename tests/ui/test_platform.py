"""What Snowflake lets a dashboard of an app do, read from its files; the ids are those of the rules for Native Apps."""

import ast
import re
from pathlib import Path

import pytest
import streamlit
import yaml

ROOT = Path(__file__).resolve().parents[2]
UI = ROOT / "app/ui"
SETUP = ROOT / "app/setup"
FILES = sorted(UI.glob("*.py"))
UNSUPPORTED = {
    "bokeh_chart", "cache", "cache_data", "cache_resource", "camera_input", "file_uploader", "image", "pyplot", "scatter_chart", "video",
    "components", "experimental_get_query_params", "experimental_set_query_params", "html", "connection", "secrets", "user",
}  # fmt: skip


def calls(path: Path) -> list[ast.Call]:
    return [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]


def door() -> dict:
    """READS and CALLS of the door, without running it."""
    tree = ast.parse((UI / "door.py").read_text())
    return {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id in ("READS", "CALLS")
    }


def grants(kind: str) -> dict[str, set[str]]:
    """Object -> the application roles that app/setup grants it to."""
    found: dict[str, set[str]] = {}
    texts = [path.read_text() for path in [ROOT / "app/setup.sql", *SETUP.glob("*/*.sql")]]
    for name, role in re.findall(rf"grant usage on {kind} ([\w.]+)[^;]* to application role (\w+);", "\n".join(texts)):
        found.setdefault(name, set()).add(role)
    return found


def test_ui_03_and_04_the_environment_names_what_snowflake_carries_and_we_test_with():
    environment = yaml.safe_load((UI / "environment.yml").read_text())

    assert environment.keys() == {"name", "channels", "dependencies"}
    assert environment["channels"] == ["snowflake"]
    assert f"streamlit={streamlit.__version__}" in environment["dependencies"]
    assert "python=3.11" in environment["dependencies"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_ui_06_and_09_no_file_uses_what_the_platform_lacks(path):
    tree = ast.parse(path.read_text(), feature_version=(3, 11))
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "st"}

    assert used & UNSUPPORTED == set()
    assert {name for name in used if not hasattr(streamlit, name)} == set()
    for call in calls(path):
        assert "unsafe_allow_html" not in {keyword.arg for keyword in call.keywords}
        if ast.unparse(call.func) == "st.set_page_config":
            assert {keyword.arg for keyword in call.keywords} <= {"layout"}
    assert not (UI / ".streamlit").exists()
    assert not (UI / "pages").exists()  # or Streamlit would make pages of its own of it


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_one_module_is_the_only_door_to_sql(path):
    imported = {
        (node.module if isinstance(node, ast.ImportFrom) else alias.name).partition(".")[0]
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }

    assert ("snowflake" in imported) == (path.name == "door.py")
    ours = {file.stem for file in FILES}
    assert imported - ours <= {
        "streamlit",
        "pandas",
        "altair",
        "snowflake",
        "json",
        "re",
        "time",
        "threading",
        "datetime",
        "decimal",
        "collections",
        "contextlib",
        "functools",
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_statements_are_constants_with_binds(path):
    """A statement is a text of the file; only what a module itself puts together from its own constants may differ."""
    constants = {
        target.id
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for call in calls(path):
        if ast.unparse(call.func) in ("door.ask", "door.change", "door.answer", "parts.act"):
            statement = call.args[2 if ast.unparse(call.func) == "parts.act" else 0]
            shared = {part for part in ast.walk(statement) if isinstance(part, ast.Attribute) and part.attr.isupper()}
            names = {part.id for part in ast.walk(statement) if isinstance(part, ast.Name)}
            names -= {part.value.id for part in shared} | {"part", "query", "statement"}
            assert not isinstance(statement, ast.JoinedStr | ast.BinOp), ast.unparse(statement)
            assert names <= constants, ast.unparse(statement)


def test_ui_01_02_and_05_each_role_has_a_dashboard_of_its_own():
    for path in (SETUP / "ui").glob("*.sql"):
        text = path.read_text()
        assert f"create or replace streamlit ui.{path.stem}\nfrom '/ui'\nmain_file = '{path.stem}.py'" in text
        (role,) = re.findall(r"to application role (\w+);", text)
        assert f'"{role}"' in (UI / f"{path.stem}.py").read_text()


def test_man_10_and_11_the_app_opens_with_a_dashboard_that_a_role_may_use():
    default = yaml.safe_load((ROOT / "app/manifest.yml").read_text())["artifacts"]["default_streamlit"]

    assert grants("streamlit")[default] <= grants("schema")[default.partition(".")[0]]


def test_the_door_opens_to_a_role_what_app_setup_grants_it():
    """But for the steps of a procedure that the page takes one by one, and gold for whoever may read the truth, from which gold is made."""
    calls, reads = door()["CALLS"], door()["READS"]
    granted = {name.removeprefix("core."): roles for name, roles in grants("procedure").items()}
    inner = {"generate_batch", "plan_history", "generate_chunk"}

    assert set().union(*calls.values()) - granted.keys() == inner
    for role, names in calls.items():
        assert {name for name in names - inner if role not in granted[name]} == set()
    schemas = grants("schema")
    for schema, roles in reads.items():
        assert roles - {"app_truth"} <= schemas[schema] | {"app_admin"}, schema
    assert schemas["truth"] == reads["truth"] == {"app_truth"}
