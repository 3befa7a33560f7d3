"""What the manifest may say, and that the setup script keeps what it says. The ids are those of the rules for Native Apps."""

import re
from pathlib import Path

import pytest
import yaml

APP = Path(__file__).resolve().parents[2] / "app"
LEVELS = {"OFF", "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"}


@pytest.fixture(scope="module")
def manifest() -> dict:
    return yaml.load((APP / "manifest.yml").read_text(), Loader=NoDuplicates)


@pytest.fixture(scope="module")
def sql() -> str:
    return "\n".join(path.read_text() for path in sorted(APP.glob("**/*.sql")))


class NoDuplicates(yaml.SafeLoader):
    """Refuses a mapping that names a key twice, where YAML readers keep the last."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=deep) for key, _ in node.value]
        assert len(keys) == len(set(keys)), f"twice in one mapping: {keys}"
        return super().construct_mapping(node, deep=deep)


def test_man_03_to_05_it_is_version_2_and_has_only_keys_that_snowflake_knows(manifest):
    assert manifest["manifest_version"] == 2
    assert manifest.keys() <= {
        "manifest_version", "version", "artifacts", "configuration", "privileges", "references",
        "lifecycle_callbacks", "restricted_callers_rights", "restricted_features", "snowflake_database",
    }  # fmt: skip
    assert manifest["artifacts"].keys() <= {"setup_script", "readme", "default_streamlit", "extension_code"}
    assert manifest["configuration"].keys() <= {
        "log_level", "trace_level", "metric_level", "log_event_level", "telemetry_event_definitions",
    }  # fmt: skip


def test_man_06_and_07_the_version_has_a_name_and_no_patch(manifest):
    assert re.fullmatch(r"[A-Za-z0-9_\-$. ]{1,30}", manifest["version"]["name"])
    assert "patch" not in manifest["version"]


@pytest.mark.parametrize("artifact", ["setup_script", "readme"])
def test_man_08_and_09_the_files_it_names_are_there_and_not_empty(manifest, artifact):
    assert (APP / manifest["artifacts"][artifact]).read_text().strip()


def test_man_14_to_16_each_privilege_says_once_what_it_is_for(manifest):
    asked = [next(iter(item)) for item in manifest["privileges"]]

    assert sorted(asked) == ["EXECUTE MANAGED TASK", "EXECUTE TASK"]
    for item in manifest["privileges"]:
        (meaning,) = item.values()
        assert meaning.keys() == {"description"}
        assert meaning["description"].strip()


def test_man_17_to_19_they_are_what_the_tasks_need_and_no_more(sql):
    tasks = re.findall(r"create or replace task (pipeline\.\w+)", sql)

    assert tasks == [
        "pipeline.data_generation_task",
        "pipeline.bronze_transformation_task",
        "pipeline.gold_transformation_task",
        "pipeline.retention_task",
    ]
    assert not re.search(r"create task|create or replace task[^;]*\bwarehouse\s*=", sql)
    assert not re.search(r"create (?:or replace )?(?:warehouse|database|compute pool|share|\w* ?integration)\b", sql)


def test_man_21_levels_are_words_also_to_a_yaml_reader_of_version_1_1(manifest):
    assert manifest["configuration"]["log_level"] in LEVELS
    assert manifest["configuration"]["trace_level"] == "OFF"


def test_man_25_and_26_the_initializer_is_a_procedure_of_a_versioned_schema_without_arguments(manifest, contents):
    name = manifest["lifecycle_callbacks"]["version_initializer"]
    schema, _, procedure = name.partition(".")

    assert f"create or alter versioned schema {schema} " in contents
    assert f"create or replace procedure {name}()\n" in (APP / f"setup/{schema}/{procedure}.sql").read_text()


def test_man_33_python_is_announced(manifest, sql):
    assert manifest["artifacts"]["extension_code"] == ("language python" in sql)
