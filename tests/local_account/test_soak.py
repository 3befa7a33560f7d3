"""Days of a half-hourly task graph, in a process of its own: no run is missed or late, each row passes once, memory stays flat.

Two days here (96 runs); SOAK_DAYS=30 for 1,440 runs, of which the first two days warm the process up.
"""

import json
import os
import subprocess
import sys
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import snowflake.connector

ROOT = Path(__file__).resolve().parents[2]
DAYS = int(os.environ.get("SOAK_DAYS", "2"))
ROWS = 200  # a run
MOST_GROWTH_KB = 150_000  # of the process, over all days after the second: what caches may still take
PIPELINE = (
    "create database soak",
    "create table landed (id int, kind varchar, payload variant, landed_at timestamp_ntz)",
    "create stream waiting on table landed append_only = true",
    "create table totals (kind varchar, rows_seen int, amount number(38, 2))",
    "create table runs (seen int, at timestamp_ntz)",
    f"""
    create procedure land() returns int language python runtime_version = '3.11'
    packages = ('snowflake-snowpark-python') handler = 'land' as $$
def land(session):
    session.sql(
        "insert into landed select seq4(), 'kind ' || mod(seq4(), 7), object_construct('amount', seq4() / 4), sysdate() "
        "from table(generator(rowcount => ?))", [{ROWS}]
    ).collect()
    return {ROWS}
$$
    """,
    """
    create procedure carry() returns int language sql as $$
    declare
        seen int;
    begin
        begin transaction;
        select count(*) into :seen from waiting;
        merge into totals using (
            select kind, count(*) as n, sum(payload:amount::number(12, 2)) as amount from waiting group by kind
        ) as news on totals.kind = news.kind
        when matched then update set rows_seen = rows_seen + n, amount = totals.amount + news.amount
        when not matched then insert (kind, rows_seen, amount) values (news.kind, n, news.amount);
        insert into runs values (:seen, sysdate());
        commit;
        delete from landed where landed_at < dateadd(day, -1, sysdate());
        return seen;
    exception
        when other then
            rollback;
            raise;
    end
    $$
    """,
    "create task land_rows schedule = '30 minutes' as call land()",
    "create task carry_rows after land_rows when system$stream_has_data('waiting') as call carry()",
    "alter task carry_rows resume",
    "alter task land_rows resume",
)


@pytest.fixture
def soaked(tmp_path, unused_port, monkeypatch):
    monkeypatch.setenv("SNOWFLAKE_DISABLE_PLATFORM_DETECTION", "true")

    def manage(*arguments):
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts")}
        command = [sys.executable, "-m", "local_account", *arguments, "--data", str(tmp_path)]
        subprocess.run(command, env=environment, check=True, capture_output=True)

    manage("start", "--port", str(unused_port()))
    yield tmp_path, manage
    manage("stop")


def memory(data):
    """The account's process, kB in use."""
    process = Path("/proc", str(json.loads((data / "account.json").read_text())["pid"]), "status")
    return int(next(line for line in process.read_text().splitlines() if line.startswith("VmRSS")).split()[1])


def test_days_of_a_half_hourly_graph_pass_without_drift_and_with_flat_memory(soaked):
    data, manage = soaked
    connections = data / "snowflake" / "connections.toml"
    with snowflake.connector.connect(connection_name="local", connections_file_path=connections) as connection:
        cursor = connection.cursor()
        for statement in PIPELINE:
            cursor.execute(statement)
        used = []
        for day in range(DAYS):
            manage("clock", "advance", "1 day")
            used.append(memory(data))
            print(f"day {day + 1}: {used[-1] / 1000:.0f} MB", flush=True)
        cursor.execute("alter task land_rows suspend")

        runs = DAYS * 48
        assert cursor.execute("select count(*), min(seen), max(seen) from runs").fetchall() == [(runs, ROWS, ROWS)]
        moments = [at for (at,) in cursor.execute("select at from runs order by at").fetchall()]
        assert abs(moments[-1] - moments[0] - (runs - 1) * timedelta(minutes=30)) < timedelta(minutes=2)
        history = "table(information_schema.task_history(task_name => 'CARRY_ROWS', result_limit => 10000))"
        scheduled = [at for (at,) in cursor.execute(f"select scheduled_time from {history} order by 1").fetchall()]
        assert {later - earlier for earlier, later in pairwise(scheduled)} == {timedelta(minutes=30)}
        states = cursor.execute(f"select state, count(*) from {history} group by state").fetchall()
        assert states == [("SUCCEEDED", min(runs, 7 * 48))]
        counted = cursor.execute("select sum(rows_seen), sum(amount) from totals").fetchall()
        assert counted == [(runs * ROWS, runs * sum(range(ROWS)) / 4)]
    assert used[-1] - used[min(1, DAYS - 1)] < MOST_GROWTH_KB
