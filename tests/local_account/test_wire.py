"""The account as clients meet it: over HTTP, in a process of its own, killed and started again."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
import snowflake.connector
from snowflake.snowpark import Session
from snowflake.snowpark.functions import when_matched, when_not_matched

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def database(account):
    """A connection whose current database is new and empty."""
    with account.connect() as connection:
        name = f"wire_{os.urandom(4).hex()}"
        connection.cursor().execute(f"create database {name}")
        yield connection
        connection.cursor().execute(f"drop database {name}")


@pytest.fixture
def snowpark(account, database):
    """A Snowpark session in that database, closed at the end: a dashboard knows its session because there is no other."""
    ((name,),) = rows(database, "select current_database()")
    connection = account.connect(database=name, schema="PUBLIC", paramstyle="qmark")
    session = Session.builder.configs({"connection": connection}).create()
    yield session
    session.close()


def rows(connection, sql, parameters=None):
    return connection.cursor().execute(sql, parameters).fetchall()


def test_values_of_every_type_arrive_as_python_knows_them(database):
    values = rows(
        database,
        "select 1, 2.50::number(10, 2), 1.5::float, 'x', true, '2026-01-02'::date, '2026-01-02 03:04:05.678'::timestamp_ntz, "
        "null::timestamp_ntz, null::timestamp_ltz, null, 12345678901234567890123456789012345678",
    )

    expected = (
        1,
        Decimal("2.50"),
        1.5,
        "x",
        True,
        date(2026, 1, 2),
        datetime(2026, 1, 2, 3, 4, 5, 678000),
        None,
        None,
        None,
        12345678901234567890123456789012345678,
    )
    assert [expected] == values


def test_a_failure_is_a_numbered_error_and_the_connection_lives_on(database):
    with pytest.raises(snowflake.connector.errors.ProgrammingError) as error:
        rows(database, "select * from nowhere")

    assert error.value.errno == 2003
    assert error.value.sqlstate == "42S02"
    assert rows(database, "select 1") == [(1,)]


def test_a_result_of_many_rows_arrives_whole(database):
    cursor = database.cursor().execute(
        "select seq8() as n, 'some text to make it longer' as t from table(generator(rowcount => 200000))"
    )

    assert len(cursor.fetchall()) == 200000


def test_two_connections_work_at_once(account, database):
    (name,) = rows(database, "select current_database()")[0]
    rows(database, "create table counted (n int)")

    def insert(number):
        with account.connect(database=name, schema="PUBLIC") as connection:
            for _ in range(5):
                rows(connection, f"insert into counted values ({number})")

    threads = [threading.Thread(target=insert, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert rows(database, "select n, count(*) from counted group by n order by n") == [(0, 5), (1, 5), (2, 5), (3, 5)]


def test_many_rows_can_be_bound_at_once(account, database):
    (name,) = rows(database, "select current_database()")[0]
    rows(database, "create table bound (n int, t varchar)")
    with account.connect(database=name, schema="PUBLIC", paramstyle="qmark") as connection:
        connection.cursor().executemany("insert into bound values (?, ?)", [(n, str(n)) for n in range(100)])

    assert [(100, 99)] == rows(database, "select count(*), max(n) from bound")


def test_snowpark_sessions_query_and_write(database, snowpark):
    rows(database, "create table people (id int, name varchar)")
    snowpark.sql("insert into people values (?, ?)", params=[1, "Ada"]).collect()
    snowpark.sql("insert into people select 2, 'Grace'").collect()

    assert [row.NAME for row in snowpark.table("people").filter("id > 1").collect()] == ["Grace"]
    assert snowpark.table("people").count() == 2


def test_a_client_of_another_major_version_is_told_so(account):
    port = json.loads((Path(account.environment["SNOWFLAKE_HOME"]).parent / "account.json").read_text())["port"]
    import urllib.request

    login = {
        "data": {"CLIENT_APP_ID": "PythonConnector", "CLIENT_APP_VERSION": "5.1.0", "LOGIN_NAME": "x", "PASSWORD": "x"}
    }
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/session/v1/login-request", data=json.dumps(login).encode(), method="POST"
    )

    with urllib.request.urlopen(request) as answer:
        told = json.load(answer)

    assert told["success"] is False
    assert "version 4" in told["message"]


def manage(data, *arguments):
    command = [sys.executable, "-m", "local_account", *arguments, "--data", str(data)]
    return subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(ROOT / "scripts")}, capture_output=True, text=True, timeout=120
    )


def connect(data):
    return snowflake.connector.connect(
        connection_name="local", connections_file_path=Path(data) / "snowflake" / "connections.toml"
    )


@pytest.fixture
def own_account(tmp_path, unused_port, monkeypatch):
    """An account of this test's own, which it may kill."""
    monkeypatch.setenv("SNOWFLAKE_DISABLE_PLATFORM_DETECTION", "true")
    started = manage(tmp_path, "start", "--port", str(unused_port()))
    assert started.returncode == 0, started.stdout + started.stderr
    yield tmp_path
    manage(tmp_path, "stop")


def test_what_is_committed_survives_a_kill_and_nothing_else_does(own_account):
    with connect(own_account) as connection:
        rows(connection, "create database kept")
        rows(connection, "create table t (n int)")
        rows(connection, "create stream s on table t append_only = true")
        rows(connection, "insert into t values (1)")
        rows(connection, "begin")
        rows(connection, "insert into t values (2)")
        os.kill(json.loads((own_account / "account.json").read_text())["pid"], signal.SIGKILL)

    assert manage(own_account, "start").returncode == 0

    with connect(own_account) as connection:
        rows(connection, "use database kept")
        assert rows(connection, "select n from t") == [(1,)]
        assert rows(connection, "select n from s") == [(1,)]


def test_the_clock_and_the_data_are_there_after_a_stop(own_account):
    with connect(own_account) as connection:
        rows(connection, "create database kept")
    manage(own_account, "clock", "set", "2030-05-06 07:00:00")

    manage(own_account, "stop")
    manage(own_account, "start")

    with connect(own_account) as connection:
        assert rows(connection, "select date_part(year, current_timestamp())") == [(2030,)]
        assert "KEPT" in [row[1] for row in rows(connection, "show databases")]


def test_a_port_that_is_taken_is_named_with_what_to_do(own_account, tmp_path_factory):
    port = json.loads((own_account / "account.json").read_text())["port"]

    refused = manage(tmp_path_factory.mktemp("second"), "start", "--port", str(port))

    assert refused.returncode == 2
    assert f"Port {port} cannot be used" in refused.stderr
    assert "--port" in refused.stderr


def test_the_files_that_hold_the_connection_are_for_the_owner_only(own_account):
    for file in ("account.json", "snowflake/connections.toml", "snowflake/config.toml"):
        assert (own_account / file).stat().st_mode & 0o777 == 0o600


def test_the_readme_lists_what_the_account_answers():
    readme = (ROOT / "scripts/local_account/README.md").read_text()
    listed = re.search(r"<!-- python -m local_account statements -->\n```\n(.*?)```", readme, re.DOTALL)[1]

    printed = subprocess.run(
        [sys.executable, "-m", "local_account", "statements"],
        env={**os.environ, "PYTHONPATH": str(ROOT / "scripts")},
        capture_output=True,
        text=True,
    )

    assert printed.stdout == listed


def test_a_long_statement_runs_once_though_the_client_asks_again(account, database):
    rows(database, "create table runs (n int)")
    ((name,),) = rows(database, "select current_database()")

    with account.connect(socket_timeout=2) as hasty:
        rows(hasty, f"use database {name}")
        done = rows(hasty, "begin insert into runs values (1); call system$wait(7); return 'done'; end")

    assert done == [("done",)]
    assert rows(database, "select count(*) from runs") == [(1,)]


def test_several_statements_of_one_request_are_answered_one_by_one(account, database):
    ((name,),) = rows(database, "select current_database()")
    three = "create table t (n int); insert into t values (?), (?); select n + ? as m from t order by n"

    with account.connect(database=name, schema="PUBLIC", paramstyle="qmark") as connection:
        cursor = connection.cursor()
        answers = [cursor.execute(three, (1, 2, 10), num_statements=3).fetchall()]
        while cursor.nextset():
            answers.append(cursor.fetchall())
        assert answers == [[("Table T successfully created.",)], [(2,)], [(11,), (12,)]]

        rows(connection, "alter session set multi_statement_count = 0")
        cursor.execute("select ';' as a; begin return 5; end;")
        assert [cursor.fetchall(), cursor.nextset().fetchall()] == [[(";",)], [("5",)]]
        assert rows(connection, "select 7") == [(7,)]


def test_several_statements_stop_at_the_first_that_fails_and_are_counted(database):
    with pytest.raises(
        snowflake.connector.errors.ProgrammingError,
        match="Actual statement count 2 did not match the desired statement count 3",
    ):
        database.cursor().execute("create table t (n int); select 1", num_statements=3)
    with pytest.raises(snowflake.connector.errors.ProgrammingError, match="NOWHERE"):
        database.cursor().execute("create table t (n int); select * from nowhere; drop table t", num_statements=3)

    assert rows(database, "select count(*) from t") == [(0,)]


def test_a_query_can_be_asked_for_later(database, snowpark):
    cursor = database.cursor()
    cursor.execute_async("select 5")
    cursor.get_results_from_sfqid(cursor.sfqid)

    assert cursor.fetchall() == [(5,)]
    assert snowpark.sql("select 6 as n").collect_nowait().result() == [(6,)]


def test_a_large_result_arrives_in_chunks(database):
    cursor = database.cursor()
    cursor.execute("select seq4() as n, 'row ' || n as label from table(generator(rowcount => 250000)) order by n")

    assert len(cursor.get_result_batches()) == 3
    assert [row[0] for row in cursor.fetchall()] == list(range(250_000))
    assert (
        len(cursor.execute("select seq4() as n from table(generator(rowcount => 250000))").fetch_pandas_all())
        == 250_000
    )


@pytest.mark.filterwarnings("ignore:is_datetime64tz_dtype:DeprecationWarning")  # Snowpark asks pandas so
def test_snowpark_merges_loads_and_stages(snowpark):
    session = snowpark
    session.write_pandas(
        pd.DataFrame({"ID": [1, 2], "NAME": ["a", None]}), "PEOPLE", auto_create_table=True, table_type="transient"
    )
    people, changes = (
        session.table("people"),
        session.create_dataframe(pd.DataFrame({"ID": [2, 3], "NAME": ["B", "C"]})),
    )
    merged = people.merge(
        changes,
        people["id"] == changes["id"],
        [
            when_matched().update({"name": changes["name"]}),
            when_not_matched().insert({"id": changes["id"], "name": changes["name"]}),
        ],
    )
    assert (merged.rows_inserted, merged.rows_updated) == (1, 1)
    assert people.sort("id").collect() == [(1, "a"), (2, "B"), (3, "C")]
    assert session.create_dataframe([[n, "x"] for n in range(1000)], schema=["n", "x"]).count() == 1000

    session.sql("create stage files").collect()
    session.file.put_stream(io.BytesIO(b"content"), "@files/folder/name.txt", auto_compress=False)
    with session.file.get_stream("@files/folder/name.txt") as stream:
        assert stream.read() == b"content"


FILES = """
import io
from pathlib import Path

def run(session):
    Path("/tmp/from_a_handler.txt").write_text("content")
    session.file.put("/tmp/from_a_handler.txt", "@files/a", auto_compress=False)
    session.file.put_stream(io.BytesIO(b"streamed"), "@files/a/b.txt", auto_compress=True)
    session.file.get("@files/a/from_a_handler.txt", "/tmp/to_a_handler")
    texts = Path("/tmp/to_a_handler/from_a_handler.txt").read_text(), session.file.get_stream("@files/a/b.txt.gz", decompress=True).read().decode()
    refused = []
    for wrong in (lambda: session.file.put("/tmp/from_a_handler.txt", "@nowhere"), lambda: session.file.get("@nowhere/a", "/tmp"),
                  lambda: session.sql("put file:///tmp/from_a_handler.txt @files").collect()):
        try:
            wrong()
        except Exception as error:
            refused.append(str(error))
    return [*texts, *refused]
"""


def test_a_procedures_handler_writes_to_stages_and_reads_from_them(database):
    rows(database, "create stage files")
    made = f"create procedure p() returns array language python runtime_version = '3.11' packages = ('snowflake-snowpark-python') handler = 'run' as $${FILES}$$"
    rows(database, made)
    ((told,),) = rows(database, "call p()")
    written, streamed, *refused = json.loads(told)
    assert (written, streamed) == ("content", "streamed")
    assert ["does not exist" in text for text in refused] == [True, True, False]
    assert "Unsupported statement type 'PUT" in refused[2]


def test_temporary_objects_end_with_their_session(account, database):
    ((name,),) = rows(database, "select current_database()")
    with account.connect() as other:
        rows(other, f"use schema {name}.public")
        rows(other, "create temporary table passing (n int)")
        rows(other, "create temp stage passing_files")
        assert len(rows(other, "show tables in schema")) == 1

    assert rows(database, f"show tables in schema {name}.public") == []
    assert rows(database, f"show stages in schema {name}.public") == []


def test_snow_object_creates_by_the_rest_api(account, database):
    """With the client's own code, which looks for the address of each kind of object."""
    from snowflake.cli.api.rest_api import CannotDetermineCreateURLException, RestApi

    def create(kind, mode=None, **about):
        modes = {"if_not_exists": mode == "if not exists", "replace": mode == "replace"}
        return api.send_rest_request(api.determine_url_for_create_query(kind, **modes), "post", about)

    database.cursor().execute(f"use database {rows(database, 'select current_database()')[0][0]}")
    api = RestApi(database)
    columns = [{"name": "id", "datatype": "number(38,0)", "nullable": False}, {"name": "v", "datatype": "varchar"}]
    create("schema", name="made")
    database.cursor().execute("use schema made")
    with pytest.raises(Exception, match="401"):
        urllib.request.urlopen(f"{database.rest.server_url}/api/v2/databases/")
    assert create("table", name="t", columns=columns, comment="it's")["status"] == "Table T successfully created."
    assert "already exists" in create("table", "if not exists", name="t", columns=columns)["status"]
    with pytest.raises(Exception, match="409"):
        create("table", name="t", columns=columns)
    with pytest.raises(Exception, match="400"):
        create("table", name="u", columns=[{"name": "id", "datatype": "int", "collate": "de"}])
    with pytest.raises(Exception, match="400"):
        create("table", name="u", columns=[{"datatype": "int"}])
    with pytest.raises(Exception, match="400"):
        create("schema", name="elsewhere.made")
    with pytest.raises(CannotDetermineCreateURLException):
        create("function", name="f")
    assert [row[:4] for row in rows(database, "describe table t")] == [
        ("ID", "NUMBER(38,0)", "COLUMN", "N"),
        ("V", "VARCHAR(16777216)", "COLUMN", "Y"),
    ]
    assert [row[1:] for row in rows(database, "describe schema made")] == [("T", "TABLE")]
    assert ("MADE", "SCHEMA") in [row[1:] for row in rows(database, f"describe database {database.database}")]
    assert rows(database, "describe warehouse local_wh")[0][1:] == ("LOCAL_WH", "WAREHOUSE")
