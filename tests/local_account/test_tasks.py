"""Tasks: rules of graphs, runs by the clock, history."""

from datetime import timedelta

import pytest
from local_account.errors import SqlError


@pytest.fixture
def tasks(client):
    client("create table runs (task varchar, at timestamp_ntz)")
    client("create task first schedule = '30 minutes' as insert into runs select 'first', sysdate()")
    client("create task second after first as insert into runs select 'second', sysdate()")
    yield client
    client("alter task first suspend")


def start(client):
    client("alter task second resume")
    client("alter task first resume")


def advance(client, **duration):
    return client.account.scheduler.advance(client.account.clock.now() + timedelta(**duration))


def test_a_graph_runs_on_its_schedule_each_child_after_its_parent(tasks):
    start(tasks)

    advance(tasks, minutes=61)

    assert tasks("select task from runs order by at") == [("first",), ("second",), ("first",), ("second",)]


def test_the_clock_of_sql_is_the_schedulers(tasks):
    before = tasks.value("select sysdate()")
    start(tasks)
    after = tasks.value("select sysdate()")

    advance(tasks, minutes=31)

    assert before < tasks.value("select min(at) from runs") - timedelta(minutes=30) < after + timedelta(minutes=1)


def test_a_new_task_is_suspended(tasks):
    advance(tasks, hours=2)

    assert tasks.value("select count(*) from runs") == 0


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        ("warehouse = nowhere as select 1", "Warehouse 'nowhere' does not exist"),
        ("as selct 1", "syntax error"),
        ("as begin let x := ; end", "syntax error"),
        ("as frobnicate the warehouse", "unsupported|Unsupported|syntax error"),
    ],
)
def test_a_task_that_can_never_run_is_not_made(client, rest, said):
    with pytest.raises(SqlError, match=said):
        client(f"create task t schedule = '1 minute' {rest}")
    client("create task t schedule = '1 minute' as insert into made_later select 1")

    assert [row[1] for row in client("show tasks")] == ["T"]


def test_a_suspended_child_is_passed_over(tasks):
    tasks("create task third after second as insert into runs select 'third', sysdate()")
    tasks("alter task third resume")
    tasks("alter task first resume")

    advance(tasks, minutes=31)

    assert tasks("select task from runs order by at") == [("first",), ("third",)]


def test_execute_task_runs_a_suspended_root_once(tasks):
    tasks("execute task first")
    advance(tasks, seconds=1)

    assert tasks("select task from runs") == [("first",)]


def test_a_failure_stands_in_the_history_and_stops_the_branch(tasks):
    tasks("create or replace task first schedule = '30 minutes' as insert into nowhere values (1)")
    start(tasks)

    advance(tasks, minutes=31)

    history = tasks(
        "select name, state, error_code from table(information_schema.task_history()) where state <> 'SCHEDULED'"
    )
    assert history == [("FIRST", "FAILED", "002003")]
    assert tasks.value("select count(*) from runs") == 0


def test_a_root_is_suspended_after_its_number_of_failures(client):
    client("create task failing schedule = '1 minute' suspend_task_after_num_failures = 2 as select nothing")
    client("alter task failing resume")

    advance(client, minutes=10)

    assert client.value("select count(*) from table(information_schema.task_history(error_only => true))") == 2
    assert client("show tasks like 'FAILING'")[0][10] == "suspended"


def test_when_false_skips_the_run(client):
    client("create table source (id int)")
    client("create stream waiting on table source append_only = true")
    client("create table copies (id int)")
    client(
        "create task copy schedule = '1 minute' when system$stream_has_data('waiting') as insert into copies select id from waiting"
    )
    client("alter task copy resume")
    advance(client, seconds=61)
    client("insert into source values (1)")
    advance(client, seconds=121)
    client("alter task copy suspend")

    states = [
        row[0]
        for row in client(
            "select state from table(information_schema.task_history()) where state <> 'SCHEDULED' order by scheduled_time"
        )
    ]
    assert states == ["SKIPPED", "SUCCEEDED", "SKIPPED"]
    assert client("select * from copies") == [(1,)]


def test_cron_schedules_run_when_they_say(client):
    scheduler, now = client.account.scheduler, client.account.clock.now()
    scheduler.set_clock(now.replace(minute=20, second=0) + timedelta(hours=1))  # no quarter past while it is resumed
    client("create table runs (at timestamp_ntz)")
    client("create task hourly schedule = 'using cron 15 * * * * UTC' as insert into runs select sysdate()")
    client("alter task hourly resume")

    advance(client, hours=3)
    client("alter task hourly suspend")

    assert {(15,)} == set(client("select date_part(minute, at) from runs"))
    assert client.value("select count(*) from runs") == 3


@pytest.mark.parametrize(
    "statement",
    [
        "create task third after first as select 1",
        "alter task second suspend",
        "alter task second resume",
        "create or replace task second after first as select 1",
        "drop task second",
    ],
)
def test_a_graph_changes_only_while_its_root_is_suspended(tasks, statement):
    start(tasks)

    with pytest.raises(SqlError, match="not suspended"):
        tasks(statement)


def test_what_followed_a_dropped_task_is_suspended_and_a_task_of_its_own_is_dropped_as_it_runs(tasks):
    """docs.snowflake.com/en/sql-reference/sql/drop-task"""
    tasks("create task alone schedule = '1 minute' as select 1")
    tasks("alter task alone resume")
    tasks("drop task alone")

    tasks("alter task second resume")
    tasks("drop task first")
    assert [(row[1], row[10]) for row in tasks("show tasks")] == [("SECOND", "suspended")]
    tasks("create task first schedule = '30 minutes' as select 1")


@pytest.mark.parametrize(
    "statement",
    ["create task x schedule = '5 seconds' as select 1", "create task x schedule = 'now and then' as select 1", "create task x after first schedule = '1 minute' as select 1",
     "create task x after nobody as select 1", "create task x warehouse = w user_task_managed_initial_warehouse_size = 'XSMALL' schedule = '1 minute' as select 1",
     "create task x schedule = '1 minute' when (select true) as select 1", "execute task second", "create task x schedule = '1 minute' colour = 'red' as select 1", "create task first schedule = '1 minute' as select 1",
     "create task x schedule = '1 minute' as", "create task x schedule = '1 minute' suspend_task_after_num_failures = -1 as select 1", "create task x schedule = '1 minute' user_task_timeout_ms = 604800001 as select 1"],
)  # fmt: skip
def test_what_snowflake_refuses_of_a_task_is_refused(tasks, statement):
    with pytest.raises(SqlError):
        tasks(statement)


def history(client, columns):
    return client(
        f"select {columns} from table(information_schema.task_history()) where state <> 'SCHEDULED' order by query_start_time"
    )


def test_a_failed_task_is_tried_again_as_often_as_it_says(client):
    client("create table numbers (n int not null)")
    client(
        "create task fails schedule = '60 minutes' task_auto_retry_attempts = 2 as insert into numbers values (null)"
    )
    client("create task after_it after fails as insert into numbers values (1)")
    client("alter task after_it resume")
    client("alter task fails resume")

    advance(client, minutes=61)
    client("alter task fails suspend")

    assert history(client, "name, state, attempt_number") == [("FAILS", "FAILED", n) for n in (1, 2, 3)]


@pytest.mark.parametrize("body", ["call system$wait(30)", "select count(*) from range_of a, range_of b, range_of c"])
def test_a_task_that_takes_too_long_is_canceled(client, body):
    client("create table range_of as select seq4() as n from table(generator(rowcount => 20000))")
    client(f"create task slow schedule = '60 minutes' user_task_timeout_ms = 500 as {body}")

    client("execute task slow")
    advance(client, seconds=1)

    ((state, message),) = history(client, "state, error_message")
    assert state == "FAILED" and ("timeout" in message or "canceled" in message)


def test_a_statement_stops_at_its_timeout(client):
    client("create table range_of as select seq4() as n from table(generator(rowcount => 20000))")
    client("alter session set statement_timeout_in_seconds = 1")

    with pytest.raises(SqlError, match="cancel"):
        client("select count(*) from range_of a, range_of b, range_of c")
    assert client("select 1") == [(1,)]


def test_a_role_runs_tasks_with_the_privileges_that_it_was_granted(tasks):
    role = f"runner_{tasks.session.database.lower()}"
    tasks(f"create role {role}")
    tasks(f"grant role {role} to role accountadmin")
    tasks(f"grant usage on database {tasks.session.database} to role {role}")
    tasks(f"grant all on schema public to role {role}")
    tasks(f"grant create task on schema public to role {role}")
    own = tasks.another(role.upper())
    serverless = "create task own schedule = '1 minute' as select 1"

    with pytest.raises(SqlError, match="EXECUTE MANAGED TASK"):
        own(serverless)
    tasks(f"grant execute managed task on account to role {role}")
    own(serverless)
    with pytest.raises(SqlError, match="EXECUTE TASK privilege must be granted to owner role"):
        own("alter task own resume")
    tasks(f"grant execute task on account to role {role} with grant option")
    own("alter task own resume")

    tasks(f"revoke execute task on account from role {role}")
    with pytest.raises(SqlError, match="EXECUTE TASK privilege must be granted to owner role"):
        tasks("execute task own")  # whoever asks, the owner runs it
    tasks.account.scheduler.advance(tasks.account.clock.now() + timedelta(minutes=1))
    assert tasks(
        "select distinct state, error_code from table(information_schema.task_history(task_name => 'own')) where state <> 'SCHEDULED'"
    ) == [("FAILED", "091089")]
    own("drop task own")


@pytest.mark.parametrize(
    ("argument", "errno"),
    [
        ("result_limit => 0", 1008),
        ("result_limit => 10001", 1008),
        ("scheduled_time_range_start => 'yesterday'", 100_035),
        ("scheduled_time_range_start => 7", 1044),
        ("scheduled_time_range_start => dateadd('day', -8, current_timestamp())", 1008),
        ("database_name => 'x'", 2),
    ],
)
def test_task_history_takes_only_what_it_has_and_keeps_seven_days(tasks, argument, errno):
    with pytest.raises(SqlError) as raised:
        tasks(f"select * from table(information_schema.task_history({argument}))")
    assert raised.value.errno == errno


def test_task_history_is_asked_for_a_time(tasks):
    tasks("execute task first")
    advance(tasks, seconds=1)
    ask = "select count(*) from table(information_schema.task_history({})) where state <> 'SCHEDULED'"

    assert tasks.value(ask.format("scheduled_time_range_start => dateadd('day', -7, current_timestamp())")) == 1
    assert tasks.value(ask.format("scheduled_time_range_end => dateadd('hour', -1, current_timestamp())")) == 0
    assert tasks.value(ask.format("scheduled_time_range_start => current_timestamp()::timestamp_ntz - interval '1 hour'")) == 1  # fmt: skip


@pytest.mark.parametrize(
    ("statement", "errno"),
    [
        ("create task t schedule = '1 minute' user_task_managed_initial_warehouse_size = 'HUGE' as select 1", 1008),
        ("create task t schedule = '1 minute' config = 'none' as select 1", 91_427),
        ("create warehouse w warehouse_size = 'HUGE'", 1008),
        ("create application package p distribution = 'WORLDWIDE'", 1008),
        ("create application package p multiple_instances = perhaps", 1008),
        ("create stream s on table t append_only = maybe", 1008),
    ],
)
def test_an_option_takes_only_its_values(client, statement, errno):
    client("create table t (id int)")
    with pytest.raises(SqlError) as raised:
        client(statement)
    assert raised.value.errno == errno
