"""From every release that was ever made to the tree, from wherever that upgrade stops, and back: nothing of the consumer's is lost.

The suite stops the setup of the version before after some statements; UPGRADE_STOPS=all that of each release after each statement that touches what
outlives an upgrade, and after some of the rest.
"""

import os
import shutil
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import bundles
import pytest
from local_account.errors import SqlError
from local_account.scripting import split
from local_account.watch import ConnectionLost, Watch

RELEASES = Path(__file__).parent
EVERYTHING = os.environ.get("UPGRADE_STOPS") == "all"
NEXT = "the_tree"  # the version as which the tree is released here
FAILS = "select * from reference_data.a_table_that_is_not_there;"
# What a version may add by itself; to all other tables only the consumer and the pipeline do.
GROWS_WITH_A_VERSION = {"pipeline.notices", "pipeline.progress", "reference_data.generation_parameters"}
# How far sums were added up: a version that adds them up otherwise begins at the first again.
BEGUN_AGAIN = {"pipeline.progress.summed_batch"}


def assert_kept(before, after) -> None:
    """All rows, columns, grants, roles, tasks and unread rows of before are there after; what was added is what a version adds."""
    assert before.rows.keys() <= after.rows.keys()
    for table, rows in before.rows.items():
        for column, about in before.columns[table].items():
            assert about[:2] == after.columns[table][column][:2], f"{table}.{column}: type, nullable"
        names = [name.lower() for name in before.columns[table]]
        again = [name for name in names if f"{table}.{name}" in BEGUN_AGAIN]
        old, new = (
            Counter(tuple(str(row[name]) for name in names if name not in again) for row in found)
            for found in (rows, after.rows[table])
        )
        for name in again:
            assert {row[name] for row in after.rows[table]} <= {row[name] for row in rows} | {None}, f"{table}.{name}"
        assert not old - new, f"{table} lost rows"
        assert table in GROWS_WITH_A_VERSION or not new - old, f"{table} got rows"
    assert before.grants <= after.grants
    assert before.roles <= after.roles
    assert before.unread == after.unread
    for task, (state, schedule, _) in before.tasks.items():
        assert (state, schedule) == after.tasks[task][:2], task


def known_to(older, everything):
    """The part of everything that an older version knows: its tables and columns, its tasks."""
    return SimpleNamespace(
        rows={table: everything.rows[table] for table in older.rows},
        columns=older.columns,
        grants=everything.grants & older.grants,
        roles=everything.roles,
        tasks={task: everything.tasks[task] for task in older.tasks},
        unread=everything.unread,
    )


def shape(everything) -> set:
    """What a release makes, whatever was done with it: columns, grants and tasks."""
    columns = {
        (table, column, *about) for table, found in everything.columns.items() for column, about in found.items()
    }
    tasks = {(task, schedule is None, body) for task, (_, schedule, body) in everything.tasks.items()}
    return columns | tasks | everything.grants


def assert_like(everything, installed) -> None:
    """As if the tree had been installed where nothing was before."""
    assert shape(everything) - shape(installed) == set()
    assert shape(installed) - shape(everything) == set()


def assert_works(shop) -> None:
    """The pipeline runs when it is due, takes what waited, and says so."""
    assert shop.pass_time(hours=2) == 1
    assert shop.everything().unread == 0
    status = shop.admin.table("call check_pipeline_status()")
    assert [row for row in status if "FAILED" in f"{row['state']} {row['last_result']}"] == []
    assert status[0]["state"] == "STARTED"


def assert_answers(shop) -> None:
    """What people call."""
    shop.admin("call generate_retail_data(2, 3)")
    for call in ("data_summary()", "view_reference_config()", "view_generation_audit(20)", "validate_configuration()"):
        shop.admin(f"call {call}")


def stopped(bundle: Path, statement: bundles.Statement, target: Path) -> Path:
    """The bundle, but that its setup fails right after one of its statements."""
    shutil.copytree(bundle, target)
    file = target / statement.file
    kept = [found.text for found in split(file.read_text())[: statement.number + 1]]
    file.write_text(";\n".join([*kept, FAILS]))
    return target


def touching(bundle: Path) -> set[str]:
    return {statement.text for statement in bundles.statements(bundle) if statement.is_state}


KEPT = sorted(
    (path.parent.name for path in RELEASES.glob("*/manifest.yml")), key=lambda name: [*map(int, name.split("."))]
)
# The newest release that differs from the tree in what outlives an upgrade: the version before.
BEFORE = [name for name in KEPT if touching(RELEASES / name) != touching(bundles.ROOT / "app")][-1:] or KEPT[-1:]
FROM_THE_VERSION_BEFORE = pytest.mark.parametrize("origin", KEPT if EVERYTHING else BEFORE, indirect=True)


def stops() -> list:
    """The statements of the tree's setup after which it is stopped, each with a release that is upgraded."""
    found = bundles.statements(bundles.ROOT / "app")
    if EVERYTHING:
        chosen = [statement for place, statement in enumerate(found) if statement.is_state or place % 10 == 0]
        pairs = [(origin, statement) for origin in KEPT for statement in chosen]
    else:
        known = touching(RELEASES / BEFORE[0])
        new = [statement for statement in found if statement.is_state and statement.text not in known]
        pairs = [(BEFORE[0], statement) for statement in [*new[len(new) // 3 :: max(1, len(new) // 3)][:2], found[-1]]]
    return [pytest.param(*pair, id=f"{pair[0]}-{pair[1].file}-{pair[1].number + 1}") for pair in pairs]


def test_an_upgrade_keeps_rows_settings_grants_schedule_and_what_waits(shop, tree, new_installation):
    before = shop.everything()
    runs = shop.admin("select run_id from audit.generation_runs where status = 'COMPLETED' order by run_timestamp")[
        :: 1 if EVERYTHING else -2
    ]

    shop.release(tree, NEXT)
    shop.upgrade()

    after = shop.everything()
    assert_kept(before, after)
    assert_like(after, new_installation)
    assert shop.described()["upgrade_state"] == "COMPLETE"
    verdicts = [shop.person("RETAIL_AUDITOR", "shop.core").table("call replay_run(?)", *run)[0] for run in runs]
    assert [verdict["verdict"] for verdict in verdicts if not verdict["is_equal"]] == []
    assert len(verdicts) >= 2
    assert_works(shop)
    assert_answers(shop)


@FROM_THE_VERSION_BEFORE
def test_a_stopped_pipeline_stays_stopped(shop, tree):
    shop.admin("call stop_pipeline()")
    before = shop.everything()

    shop.release(tree, NEXT)
    shop.upgrade()

    assert_kept(before, shop.everything())
    assert {state for state, _, _ in shop.everything().tasks.values()} == {"suspended"}
    assert shop.pass_time(hours=4) == 0


@pytest.mark.parametrize(("origin", "statement"), stops(), indirect=["origin"])
def test_a_setup_that_stops_anywhere_leaves_the_old_version_working_and_can_go_on(
    shop, origin, statement, tree, new_installation, tmp_path
):
    before = shop.everything()
    shop.release(stopped(tree, statement, tmp_path / "stopped"), NEXT)
    with pytest.raises(SqlError, match="A_TABLE_THAT_IS_NOT_THERE") as error:
        shop.upgrade()
    assert error.value.errno == 93_082

    half = shop.everything()
    assert shop.described()["upgrade_state"] == "FAILED"
    assert statement.file in shop.described()["upgrade_failure_reason"]
    assert_kept(before, half)
    assert known_to(before, half).tasks == before.tasks, "the old version's initializer has put its tasks in order"
    assert_works(shop)
    assert_answers(shop)

    used = known_to(before, shop.everything())
    shop.release(tree, NEXT)  # the mended one, as the next patch
    shop.upgrade()

    after = shop.everything()
    assert_kept(used, after)
    assert_like(after, new_installation)


@FROM_THE_VERSION_BEFORE
def test_an_upgrade_that_is_cut_off_shows_as_under_way_and_is_done_by_asking_again(shop, tree, new_installation):
    before = shop.everything()
    shop.release(tree, NEXT)
    installer = shop.person("RETAIL_INSTALLER")
    installer.session.watch = Watch(stop_at=len(bundles.statements(tree)) // 2, how="lose")

    with pytest.raises(ConnectionLost):
        installer("alter application shop upgrade")
    assert shop.described()["upgrade_state"] == "UPGRADING"
    used = known_to(before, shop.everything())
    assert_kept(before, used)

    shop.upgrade()

    assert shop.described()["upgrade_state"] == "COMPLETE"
    assert_kept(used, shop.everything())
    assert_like(shop.everything(), new_installation)


@FROM_THE_VERSION_BEFORE
def test_a_downgrade_keeps_what_the_older_version_knew_and_can_be_taken_back(shop, origin, tree, new_installation):
    before = shop.everything()
    shop.release(tree, NEXT)
    shop.upgrade()
    assert_works(shop)
    upgraded = shop.everything()

    shop.direct(origin.version, 0)
    shop.upgrade()

    older = shop.everything()
    assert upgraded.rows.keys() == older.rows.keys(), "what the older version does not know stays, too"
    assert_kept(known_to(before, upgraded), older)
    assert known_to(before, older).tasks == before.tasks
    assert_works(shop)
    assert_answers(shop)

    used = known_to(before, shop.everything())
    shop.direct(NEXT, 0)
    shop.upgrade()
    assert_kept(used, shop.everything())
    assert_like(shop.everything(), new_installation)
    assert_works(shop)
