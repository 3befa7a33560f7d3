"""A consumer who has never heard of us installs the app, in every way there is, uses it at once, and removes it."""

import pytest
from local_account import access
from local_account.errors import SqlError

TASKS = ["BRONZE_TRANSFORMATION_TASK", "DATA_GENERATION_TASK", "GOLD_TRANSFORMATION_TASK"]
STAGE = "@retail_stream_pkg.app_src.stage"


@pytest.fixture(scope="module")
def market(tree, open_account, tmp_path_factory):
    """An account to which the tree is released as v1, and whose consumers have not installed it."""
    with open_account(tmp_path_factory.mktemp("market") / "account") as shop:
        shop.hire()
        shop.release(tree, "v1")
        shop.provider("alter application package retail_stream_pkg set multiple_instances = true")
        shop.provider("grant usage on schema retail_stream_pkg.app_src to role retail_installer")
        shop.provider("grant read on stage retail_stream_pkg.app_src.stage to role retail_installer")
        yield shop


@pytest.fixture
def forbidden_tasks(market):
    """The account forbids all applications to create tasks, as long as the test runs."""
    market.provider("create database if not exists policies")
    market.provider(
        "create or replace feature policy policies.public.no_tasks blocked_object_types_for_creation = (TASKS)"
    )
    market.provider("alter account set feature policy policies.public.no_tasks for all applications")
    yield "POLICIES.PUBLIC.NO_TASKS"
    market.provider("alter account unset feature policy for all applications")


def removed(market, app: str) -> None:
    market.person("RETAIL_INSTALLER")(f"drop application {app}")


def status(market, app: str) -> dict[str, dict]:
    """The rows of CHECK_PIPELINE_STATUS by component."""
    return {row["component"]: row for row in market.admin_of(app).table("call check_pipeline_status()")}


def tasks(market, app: str) -> list[dict]:
    return [row for component, row in status(market, app).items() if component.endswith("_task")]


@pytest.mark.parametrize(
    ("app", "source"),
    [
        ("by_channel", "using release channel default"),
        ("by_version", "using version v1 patch 0"),
        ("from_files", f"using {STAGE}"),
    ],
)
def test_an_installation_has_its_defaults_and_its_tasks_which_are_stopped(market, app, source):
    market.install(source, app)

    everything = market.everything(app)
    defaults = {table: rows for table, rows in everything.rows.items() if table.startswith("reference_data.")}
    assert [table for table, rows in defaults.items() if not rows] == ["reference_data.data_generation_audit"]
    assert TASKS == sorted(set(TASKS) & everything.tasks.keys())
    assert {state for state, _, _ in everything.tasks.values()} == {"suspended"}
    assert status(market, app)["pipeline"]["state"] == "STOPPED"
    assert "CALL core.start_pipeline()" in status(market, app)["pipeline"]["advice"]
    removed(market, app)


def test_the_first_call_fills_gold_and_each_role_reads_its_part(market):
    market.install(app="first")
    market.admin_of("first")("call generate_retail_data(5, 10)")

    assert market.person("RETAIL_ANALYST").value("select count(*) from first.gold.fct_sales") == 10
    assert market.person("RETAIL_AUDITOR").value("select count(*) from first.audit.generation_runs") == 1
    removed(market, "first")


def test_where_tasks_are_forbidden_the_app_says_so_and_works_for_the_rest(market, forbidden_tasks):
    market.install(app="without_tasks")
    admin = market.admin_of("without_tasks")

    assert {row["state"] for row in tasks(market, "without_tasks")} == {"MISSING"}
    assert all(forbidden_tasks in row["advice"] for row in tasks(market, "without_tasks"))
    with pytest.raises(SqlError, match=forbidden_tasks):
        admin("call start_pipeline()")
    admin("call generate_retail_data(5, 10)")
    assert admin.value("select count(*) from gold.fct_sales") == 10

    market.provider("alter account unset feature policy for all applications")
    admin("call start_pipeline()")
    assert {row["state"] for row in tasks(market, "without_tasks")} == {"STARTED"}
    removed(market, "without_tasks")


@pytest.mark.parametrize("privilege", ["EXECUTE TASK", "EXECUTE MANAGED TASK"])
def test_a_privilege_that_is_withheld_is_named_and_having_it_is_enough(market, privilege):
    access.withhold(market.account, [privilege])
    market.install(app="unprivileged")
    admin = market.admin_of("unprivileged")

    with pytest.raises(SqlError, match=privilege):
        admin("call start_pipeline()")
    assert all(privilege in row["advice"] for row in tasks(market, "unprivileged"))

    access.withhold(market.account, [])
    admin("call start_pipeline()")
    assert {
        row["advice"] for component, row in status(market, "unprivileged").items() if component.endswith("_task")
    } == {None}
    removed(market, "unprivileged")


def test_two_instances_know_nothing_of_each_other(market):
    for app in ("one", "two"):
        market.install(app=app)
    market.admin_of("one")("call generate_retail_data(5, 10)")
    market.admin_of("one")("call start_pipeline()")

    assert market.everything("two").rows["raw_data.raw_retail_events"] == []
    assert {state for state, _, _ in market.everything("two").tasks.values()} == {"suspended"}
    removed(market, "two")
    assert {row["state"] for row in tasks(market, "one")} == {"STARTED"}
    assert market.admin_of("one").value("select count(*) from gold.fct_sales") == 10
    removed(market, "one")


def test_removing_the_app_leaves_nothing_behind(market):
    before = market.traces()
    market.install(f"using {STAGE}", app="gone")
    market.admin_of("gone")("call generate_retail_data(2, 3)")
    market.admin_of("gone")("call start_pipeline()")
    assert market.traces() != before

    removed(market, "gone")

    assert market.traces() == before
    assert market.pass_time(minutes=31) == 0
