"""Transactions, names and variables of a session; two sessions at once."""

import re
import shutil
import threading

import pytest
from local_account import statements
from local_account.account import Account
from local_account.catalogue import Change
from local_account.errors import SqlError


@pytest.fixture
def table(client):
    client("create table t (id int not null, name varchar(3))")
    return client


def test_a_rollback_undoes_what_was_done(table):
    table("begin")
    table("insert into t values (1, 'a')")
    table("rollback")

    assert table.value("select count(*) from t") == 0


def test_a_statement_that_does_not_compile_leaves_the_transaction_alive(table):
    table("begin")
    table("insert into t values (1, 'a')")
    with pytest.raises(SqlError) as error:
        table("insert into t select nothing, name from t")
    table("commit")

    assert error.value.errno == 904
    assert table.value("select count(*) from t") == 1


def test_commit_after_a_failure_at_run_time_is_refused_and_says_why(table):
    table("begin")
    table("insert into t values (1, 'a')")
    with pytest.raises(SqlError, match="NULL result in a non-nullable column"):
        table("insert into t values (null, 'b')")
    with pytest.raises(SqlError, match="cannot go on"):
        table("select 1")
    with pytest.raises(SqlError, match="COMMIT refused and the transaction rolled back"):
        table("commit")

    assert table.value("select count(*) from t") == 0


def test_truncate_if_exists_takes_what_is_not_there(table):
    table("insert into t values (1, 'a')")
    table("truncate table if exists t")
    table("truncate table if exists nowhere")
    with pytest.raises(SqlError, match="does not exist"):
        table("truncate table nowhere")

    assert table.value("select count(*) from t") == 0


def test_a_definition_commits_the_open_transaction(table):
    table("begin")
    table("insert into t values (1, 'a')")
    table("create table u (id int)")
    table("rollback")

    assert table.value("select count(*) from t") == 1


def test_another_session_does_not_see_what_is_not_committed(table):
    other = table.another()
    table("begin")
    table("insert into t values (1, 'a')")

    assert other.value("select count(*) from t") == 0

    table("commit")
    assert other.value("select count(*) from t") == 1


def test_a_second_writer_of_the_same_row_waits(table):
    other = table.another()
    table("insert into t values (1, 'a')")
    table("begin")
    table("update t set name = 'b' where id = 1")
    waiting = threading.Thread(target=other, args=("update t set name = name || 'c' where id = 1",))
    waiting.start()
    table("commit")
    waiting.join(10)

    assert table.value("select name from t") == "bc"


def test_a_second_transaction_waits_with_its_first_statement_and_works_on_what_it_waited_for(table):
    other = table.another()
    table("insert into t values (1, 'a')")
    table("begin")
    table("update t set name = 'b' where id = 1")
    other("begin")
    waiting = threading.Thread(target=other, args=("update t set name = name || 'c' where id = 1",))
    waiting.start()
    table("commit")
    waiting.join(10)
    other("insert into t values (2, 'd')")
    other("commit")

    assert table("select name from t order by id") == [("bc",), ("d",)]


def test_a_first_statement_that_fails_at_run_time_leaves_the_transaction_open(table):
    table("begin")
    with pytest.raises(SqlError, match="NULL result in a non-nullable column"):
        table("insert into t values (null, 'b')")
    table("insert into t values (1, 'a')")
    table("rollback")
    table("begin")
    table("insert into t values (2, 'a')")
    table("commit")

    assert table("select id from t") == [(2,)]


def test_a_procedure_works_in_its_callers_transaction(table):
    table(
        "create procedure add(id int) returns varchar language sql as $$ begin insert into t (id) values (:id); end $$"
    )

    table("begin")
    table("call add(1)")
    table("rollback")

    assert table.value("select count(*) from t") == 0


def test_a_transaction_begun_in_a_procedure_is_its_own(table):
    table(
        """
        create procedure add(id int) returns varchar language sql as
        $$ begin begin transaction; insert into t (id) values (:id); commit; end $$
        """
    )

    table("begin")
    table("insert into t values (1, 'a')")
    table("call add(2)")
    table("rollback")

    assert table("select id from t") == [(2,)]


def test_a_procedure_must_end_what_it_begins(table):
    table(
        "create procedure open_end() returns varchar language sql as $$ begin begin transaction; insert into t (id) values (1); end $$"
    )

    with pytest.raises(SqlError, match="incomplete and it was rolled back"):
        table("call open_end()")

    assert table.value("select count(*) from t") == 0


def test_a_with_of_a_tables_name_reads_the_table(table):
    table("insert into t values (1, 'a'), (2, 'b')")

    assert table("with t as (select * from t where id > 1) select t.id, name from t") == [(2, "b")]
    assert table("with u as (select id from t), t as (select 7 as id) select u.id, t.id from u, t where u.id = 1") == [
        (1, 7)
    ]
    assert table(
        "with t as (with t as (select id + 1 as id from t) select id + 1 as id from t) select max(id) from t"
    ) == [(4,)]
    assert table("with t as (select 1 as i union all select i + 1 from t where i < 3) select max(i) from t") == [(3,)]
    assert table("with recursive t as (select id from t) select count(*) from t") == [(2,)]
    table("create table copied as with t as (select id from t) select id from t")
    assert table("select count(*) from copied") == [(2,)]


def test_session_variables_stand_for_their_values(client):
    client("set (low, high) = (2, 5)")
    client("set (low, high) = (4, $low * 10)")

    assert client.value("select $low + $high") == 24


def test_a_session_variable_holds_256_bytes(client):
    client("set v = repeat('x', 256)")
    with pytest.raises(SqlError, match="Its size is 257; the limit is 256"):
        client("set v = repeat('x', 257)")

    assert client.value("select length($v)") == 256


@pytest.mark.parametrize("written", ["t.id", "public.t.id", "{0}.public.t.id", "{0}.PUBLIC.T.ID"])
def test_a_column_may_say_where_its_table_stands(table, written):
    table("insert into t values (1, 'a')")

    assert table.value(f"select {written.format(table.session.database)} from public.t") == 1


@pytest.mark.parametrize("written", ["other.t.id", "elsewhere.public.t.id", "public.u.id"])
def test_a_column_of_a_table_that_the_statement_does_not_name_is_unknown(table, written):
    table("create table u (id int)")
    for statement in (f"select {written} from t", f"update t set id = {written}", f"delete from t where {written} = 1"):
        with pytest.raises(SqlError, match=f"invalid identifier '{written.upper()}'"):
            table(statement)


@pytest.mark.parametrize(
    ("value", "type_"),
    [("1.5::float", "real"), ("1.50", "fixed"), ("'2024-01-02'::date", "date"), ("'10:11'::time", "time"),
     ("'2024-01-02'::timestamp_ntz", "timestamp_ntz"), ("true", "boolean"), ("'x'", "text")],
)  # fmt: skip
def test_a_session_variable_keeps_the_type_of_its_value(client, value, type_):
    client(f"set v = {value}")

    (column,) = statements.execute(client.session, "select $v").columns
    assert column.type == type_
    assert client.value(f"select $v = {value}") is True


@pytest.mark.parametrize("values", ["v = parse_json('{}')", "(v, w) = (1)", "(v, w) = (1, 2, 3)"])
def test_set_refuses_what_is_no_value_for_each_variable(client, values):
    with pytest.raises(SqlError):
        client(f"set {values}")


def test_a_query_that_fails_at_run_time_ends_its_transaction_too(table):
    table("begin")
    table("insert into t values (77, 'x')")
    with pytest.raises(SqlError):
        table("select 'x'::int")

    with pytest.raises(SqlError, match="cannot go on.*'x' is not recognized"):
        table("insert into t values (78, 'x')")
    with pytest.raises(SqlError, match="COMMIT refused"):
        table("commit")


def test_an_unknown_variable_is_named(client):
    with pytest.raises(SqlError, match=r"\$NOWHERE"):
        client("select $nowhere")


@pytest.mark.parametrize(
    ("named", "statement"),
    [
        ("create hybrid table", "create hybrid table h (id int primary key)"),
        ("create alert", "create alert a if (exists (select 1)) then select 1"),
        ("create masking policy", "create masking policy m as (v varchar) returns varchar -> v"),
        ("alter warehouse w set", "alter warehouse w set auto_suspend = 1"),
        ("UNDROP TABLE", "undrop table t"),
        ("COPY INTO", "copy into t from @s"),
        ("AT, BEFORE", "select * from t at (offset => -60)"),
        ("AT, BEFORE", "create stream s on table t at (offset => -60)"),
        ("WITH P AS PROCEDURE", "with p as procedure () returns int language sql as 'begin return 1; end' call p()"),
        ("EXECUTE IMMEDIATE of an expression", "execute immediate 'select ' || '1'"),
        ("CREATE DATABASE ROLE", "create or replace database role r"),
        ("DROP DATABASE ROLE", "drop database role r"),
        ("clone d", "create database c clone d"),
        ("with managed access", "create schema s with managed access"),
        ("the stages of users and tables", "list @~/files"),
        ("the methods of an instance", "call forecast!explain()"),
        ("ENFORCED NOVALIDATE", "create table k (id int primary key not enforced novalidate)"),
        ("SYS_CONNECT_BY_PATH", "select sys_connect_by_path(name, '/') from t connect by id = prior id"),
        ("SYSTEM$SET_REFERENCE", "call system$set_reference('a', 'b', 'c')"),
    ],
)
def test_what_the_account_does_not_know_it_refuses_by_name(table, named, statement):
    with pytest.raises(SqlError, match=f"Unsupported feature.*{re.escape(named)}") as error:
        table(statement)

    assert error.value.errno == 2


@pytest.fixture
def three(client):
    client("create table source (n int, name varchar)")
    client("insert into source values (5, 'a'), (50, 'b'), (500, null)")
    for table in ("small", "large", "rest"):
        client(f"create table {table} (n int, name varchar)")
    return client


def test_one_source_fills_several_tables(three):
    counts = three(
        "insert all into small into large (name, n) values (name, n + ?) select n, name from source where n > ?", 1, 5
    )

    assert counts == [(2, 2)]
    assert three("select n, name from large order by n") == [(51, "b"), (501, None)]


def test_a_row_goes_where_its_conditions_say(three):
    three(
        "insert all when n > 10 then into small when n > 100 then into large else into rest select n, name from source"
    )
    assert [[row[0] for row in three(f"select n from {t} order by 1")] for t in ("small", "large", "rest")] == [[50, 500], [500], [5]]  # fmt: skip
    for table in ("small", "large", "rest"):
        three(f"truncate table {table}")

    three(
        "insert first when n > 100 then into large when n > 10 then into small else into rest select n, name from source"
    )
    assert [[row[0] for row in three(f"select n from {t} order by 1")] for t in ("small", "large", "rest")] == [[50], [500], [5]]  # fmt: skip


def test_several_tables_are_filled_together_or_not_at_all(three):
    three("alter table large alter column name set not null")

    with pytest.raises(SqlError, match="NULL"):
        three("insert all into small into large select n, name from source")
    assert three("select count(*) from small") == [(0,)]
    with pytest.raises(SqlError, match="INSERT OVERWRITE ALL"):
        three("insert overwrite all into small select n, name from source")


def test_the_history_tells_what_was_asked_and_how_it_ended(client):
    client("create table numbers (n int)")
    client("insert into numbers values (1), (2)")
    with pytest.raises(SqlError):
        client("select * from nowhere")

    found = client(
        "select query_text, query_type, execution_status, error_code, rows_produced from table(information_schema.query_history("
        "result_limit => 4)) where session_id = ? and execution_status <> 'RUNNING' order by start_time desc",
        client.session.number,
    )

    assert found[:2] == [
        ("select * from nowhere", "SELECT", "FAIL", "002003", None),
        ("insert into numbers values (1), (2)", "INSERT", "SUCCESS", None, 2),
    ]


def test_a_temporary_table_is_its_sessions_own_and_hides_a_lasting_one(table):
    other = table.another()
    table("insert into t values (1, 'a')")
    table("create temporary table t as select id + 1 as id, 'b' as name from t")
    table("create or replace temp table t as select id + 10 as id, name from t")
    table("create temp table only_here (n int)")

    assert table("select t.id, t.name from t") == [(12, "b")]
    assert other("select id, name from t") == [(1, "a")]
    with pytest.raises(SqlError, match="'ONLY_HERE'|ONLY_HERE"):
        other("select * from only_here")
    other("create table only_here as select 'mine' as n")
    assert sorted(row[1] for row in table("show tables")) == ["ONLY_HERE", "ONLY_HERE", "T", "T"]
    assert sorted(row[1] for row in other("show tables")) == ["ONLY_HERE", "T"]
    found = other("select column_name from information_schema.columns where table_name = 'ONLY_HERE'")
    assert found == [("N",)]
    with pytest.raises(SqlError, match=r"Object 'ONLY_HERE' already exists"):
        table("create temp table only_here (n int)")
    with pytest.raises(SqlError, match="RENAME of a temporary one"):
        table("alter table only_here rename to elsewhere")

    table("drop table t")
    assert table("select id, name from t") == [(1, "a")]
    table.session.close()
    assert other("select n from only_here") == [("mine",)]
    assert len(other("show tables")) == 2


def test_a_temporary_table_is_changed_under_its_own_name(client):
    client("create temp table t as select 1 as id, 'a' as name")

    client("update t set name = 'b' where t.id = 1")
    client("merge into t using (select 2 as id) s on t.id = s.id when not matched then insert values (s.id, 'c')")
    client("delete from t where t.id = 2")
    assert client("select * from t") == [(1, "b")]
    assert [row[4] for row in client("show tables")] == ["TEMPORARY"]
    with pytest.raises(SqlError, match="'TABLE', not specified type 'VIEW'"):
        client("drop view t")
    assert client("select count(*) from t") == [(1,)]


@pytest.mark.parametrize(
    "statement",
    [
        "create table t (id int)",
        "create or replace table t as select 3 as id",
        "create table if not exists t (id int)",
        "create view t as select 1 as id",
        "create view seen as select * from t",
        "create table cloned clone t",
        "create stream changes on table t",
    ],
)
def test_nothing_that_lasts_is_made_of_a_temporary_table_or_below_its_name(client, statement):
    client("create temp table t as select 1 as id")

    with pytest.raises(SqlError, match="Unsupported feature .*temporary"):
        client(statement)


def test_a_dropped_schema_takes_what_was_in_it(client):
    stage = client.account.stage_directory(client.session.database, "S", "FILES")
    client("create schema s")
    client("create stage files")
    stage.mkdir(parents=True)
    (stage / "old.csv").write_text("1")
    client("create temp table t as select 1 as id")
    client.another()("drop schema s")
    client("create schema s")
    client("create stage files")

    assert client("list @files") == []
    client("create table t as select 2 as id")
    assert client.another()("select id from s.t") == client("select id from s.t") == [(2,)]
    client("create temp file format shape type = parquet")
    client("drop schema s")
    client.session.close()  # which would drop what is no more
    assert client.account.catalogue.find("temporary", client.session.database) == []


def test_a_temporary_stage_is_its_sessions_own(client):
    other = client.another()
    client("create temp stage passing")

    assert client("list @passing") == []
    with pytest.raises(SqlError, match="does not exist"):
        other("list @passing")
    assert [row[1] for row in client("show stages")] == ["PASSING"]
    assert other("show stages") == []


def test_a_stage_keeps_its_files_until_the_one_that_replaces_it_is_there(client, monkeypatch):
    def fail(_):
        raise OSError("cut off")

    client("create stage files")
    folder = client.account.stage_directory(client.session.database, "PUBLIC", "FILES")
    folder.mkdir(parents=True)
    (folder / "one.txt").write_text("1")
    with monkeypatch.context() as broken:
        broken.setattr(Change, "write", fail)
        with pytest.raises(OSError, match="cut off"):
            client("create or replace stage files")
    assert len(client("list @files")) == 1

    client("create or replace stage files")
    assert client("list @files") == []
    assert not folder.exists()


def test_a_quoted_name_of_another_case_is_another_table(table):
    table('create table "Cased" (id int)')

    assert table('select * from "Cased"') == []
    with pytest.raises(SqlError, match="does not exist"):
        table('select * from "cased"')
    with pytest.raises(SqlError, match="already exists"):
        table('create table "cased" (id int)')
    for statement in (
        "select * from cased",
        "insert into cased values (1)",
        "delete from cased",
        "create table copied clone cased",
        "create stream followed on table cased",
    ):
        with pytest.raises(SqlError, match="does not exist"):
            table(statement)
    table("drop table if exists cased")
    table('alter table "Cased" rename to "Other"')
    assert table('select * from "Other"') == []
    table('drop table "Other"')
    table("create table other as select 1 as id")
    assert table("select * from other") == [(1,)]


@pytest.mark.parametrize(
    ("statement", "errno"),
    [
        ("grant select on table t to role nobody", 2003),
        ("grant usage on table t to role sysadmin", 3008),
        ("grant select on view t to role sysadmin", 2203),
        ("grant select on table t to database role reader", 2),
        ("show grants of role sysadmin", 2),
    ],
)
def test_a_grant_fits_what_is_there(table, statement, errno):
    with pytest.raises(SqlError) as raised:
        table(statement)
    assert raised.value.errno == errno


def test_a_new_role_of_an_old_name_holds_nothing(table):
    database = table.session.database
    for again in ("drop role clerk", "create or replace role clerk"):
        table("create role if not exists clerk")
        for grant in (f"usage on database {database}", f"usage on schema {database}.public", "select on table t"):
            table(f"grant {grant} to role clerk")
        table("grant role clerk to user local")
        assert table.another("CLERK")("select count(*) from t") == [(0,)]

        table(again)
        table("create role if not exists clerk")
        table("grant role clerk to user local")
        with pytest.raises(SqlError, match="does not exist"):
            table.another("CLERK")("select count(*) from t")


def test_a_view_whose_tables_have_changed_is_refused_where_its_text_may_be_wrong(table):
    table("create view everything as select * from t")
    table("create view chosen as select id, name || '!' as loud from t")
    table("create view over_it as select loud from chosen")
    table("insert into t values (1, 'a')")
    table("create stream changes on table t")
    assert table("select * from everything") == [(1, "a")]
    assert [row[0] for row in table("describe view everything")] == ["ID", "NAME"]

    table("alter table t add column more int")
    with pytest.raises(SqlError, match=r"declared 2 column\(s\), but view query produces 3"):
        table("select * from everything")
    assert table("select * from over_it") == [("a!",)]
    table("create or replace view everything as select * from t")
    assert table("select * from everything") == [(1, "a", None)]

    table("create or replace table t (id int, name variant)")
    table("begin")
    for view in ("chosen", "over_it"):
        with pytest.raises(SqlError, match="NAME of T has changed its type"):
            table(f"select * from {view}")
    table("insert into t (id) values (2)")
    table("commit")
    table("create or replace view chosen as select id, name || '!' as loud from t")
    table("alter view chosen rename to renamed")
    assert table("select * from renamed") == [(2, None)]
    table("drop view renamed")
    table("create table renamed as select 1 as id")
    assert table("select * from renamed") == [(1,)]


def test_a_view_calls_no_function_of_ones_own(table):
    table("create function more(n int) returns int as 'n + 1'")
    for query in ("select more(id) as n from t", "select table_name from information_schema.tables"):
        with pytest.raises(SqlError, match="Unsupported feature 'view of"):
            table(f"create view seen as {query}")


def test_a_transaction_does_not_read_a_table_that_was_defined_since_it_began(table):
    other = table.another()
    table("create table kept as select 1 as n")
    table("begin")
    table("insert into kept values (2)")
    table("select count(*) from t")
    other("create or replace table t (v variant)")
    other("create table later (n int)")

    for statement in ("select v from t", "insert into t select parse_json('1')", "select * from later"):
        with pytest.raises(SqlError, match="transaction that began before (T|LATER) was defined"):
            table(statement)
    assert table("select sum(n) from kept") == [(3,)]
    table("commit")
    assert table("select v from t") == table("select n from later") == []


def with_role(client, role, *grants):
    """A session of a new role, which holds these grants and nothing else."""
    client(f"create or replace role {role}")
    client(f"grant role {role} to user local")
    for grant in grants:
        client(f"grant {grant} to role {role}")
    return type(client)(client.account, role.upper())


MADE = ["database {0}_more", "warehouse {0}_more", "role {0}_more", "application package {0}_more", "stage {0}.public.more", "task {0}.public.more warehouse = local_wh schedule = '1 minute' as select 1", "stream {0}.public.more on table {0}.public.t", "file format {0}.public.more type = parquet", "procedure {0}.public.more() returns int language sql as $$begin return 1; end$$"]  # fmt: skip


@pytest.mark.parametrize("made", MADE, ids=[made.split(" {")[0] for made in MADE])
def test_who_creates_something_must_be_allowed_to(client, made):
    name, kind = client.session.database.lower(), made.split(" {")[0]
    where = f"schema {name}.public" if "public" in made else "account"
    client("create table t (a int)")
    usage = (f"usage on database {name}", f"usage on schema {name}.public")
    maker = with_role(client, "maker", *usage, f"select on table {name}.public.t")

    with pytest.raises(SqlError, match=f"lacks CREATE {kind.upper()}") as error:
        maker(f"create {made.format(name)}")
    assert error.value.errno == 3001
    client(f"grant create {kind} on {where} to role maker")
    maker(f"create {made.format(name)}")


def test_a_grant_counts_for_who_may_use_the_database_and_the_schema(client):
    """docs.snowflake.com/en/user-guide/security-access-control-privileges"""
    name = client.session.database.lower()
    client("create table t (a int)")
    reader = with_role(client, "reader")
    for grant in (f"select on table {name}.public.t", f"usage on database {name}", f"usage on schema {name}.public"):
        with pytest.raises(SqlError, match="does not exist or not authorized"):
            reader(f"select * from {name}.public.t")
        client(f"grant {grant} to role reader")
    assert reader(f"select * from {name}.public.t") == []


@pytest.mark.parametrize(
    "statement", ["set found = (select max(a) from {0}.t)", "call {0}.told((select max(a) from {0}.t))"]
)
def test_a_query_inside_another_statement_reads_what_its_role_may(client, statement):
    place = f"{client.session.database.lower()}.public"
    client("create table t (a int)")
    client("insert into t values (7)")
    client("create procedure told(a int) returns int language sql as $$begin return a; end$$")
    used = (f"database {client.session.database}", f"schema {place}", f"procedure {place}.told(int)")
    asking = with_role(client, "asking", *(f"usage on {what}" for what in used))

    with pytest.raises(SqlError, match="does not exist or not authorized"):
        asking(statement.format(place))
    client("grant select on table t to role asking")
    asking(statement.format(place))


def test_only_an_owner_grants_alters_and_drops(client):
    name = client.session.database.lower()
    client("create table t (a int)")
    client(f"create application package {name}_package")
    stranger = with_role(client, "stranger")
    for statement in (f"grant select on table {name}.public.t to role stranger", "grant role accountadmin to role stranger", "drop role sysadmin", "grant create database on account to role stranger", f"drop database {name}", f"create or replace database {name}", "drop warehouse local_wh", f"drop application package {name}_package", f"alter application package {name}_package set comment = 'mine'"):  # fmt: skip
        with pytest.raises(SqlError) as error:
            stranger(statement)
        assert error.value.errno in (2003, 3001), statement
    client(f"grant manage versions on application package {name}_package to role stranger")
    with pytest.raises(SqlError, match="lacks OWNERSHIP"):
        stranger(f"alter application package {name}_package set comment = 'mine'")
    with pytest.raises(SqlError, match="V1"):
        stranger(f"alter application package {name}_package deregister version v1")


def test_an_application_is_no_database_to_be_replaced(client):
    client("create application package replaced_package")
    for statement in ("create or replace database replaced_package", "drop database replaced_package"):
        with pytest.raises(SqlError, match="use DROP APPLICATION PACKAGE"):
            client(statement)


@pytest.mark.parametrize(
    ("value", "text"),
    [("5 > 3", "true"), ("1e3", "1000"), ("'2024-01-31'::timestamp_ntz", "2024-01-31 00:00:00.000"), ("[1, 'x']", '[1,"x"]')],
)  # fmt: skip
def test_a_block_answers_text(client, value, text):
    assert client.value(f"begin return {value}; end") == text


COMMENTED = """
    create table t (id int -- the key
        ) comment = 'no -- comment'
    grant select /* only */ on table t to role public -- for all
    create procedure counted(a int -- a number
        ) returns int -- returns varchar
        language sql // handler = 'x'
        execute as owner /* as */ as $$ begin return a; /* end */ end $$
    call counted(1 -- one
        )
    create task ticks -- every minute
        schedule = '1 minute' /* at least */ as -- one
        select 1
    use /* this */ schema public
"""


def test_comments_stand_wherever_blanks_do(client):
    for statement in re.split(r"\n    (?=\S)", COMMENTED.rstrip())[1:]:
        client(statement)

    assert "no -- comment" in client("show tables")[0]
    assert "-- one\n        select 1" in client("show tasks -- of mine")[0]


@pytest.mark.parametrize("path", ["file:///tmp/from", "file:///tmp/**", "file://C:/tmp/*"])
def test_the_path_of_a_file_is_no_comment(client, path):
    with pytest.raises(SqlError, match="NOWHERE"):
        client(f"put {path} @nowhere auto_compress = false")


def test_if_not_exists_stands_after_the_name_too(client):
    for _ in range(2):
        client("create table t if not exists (id int)")
        client("create view v if not exists as select id as n from t")

    assert client("select n from v") == []


def test_dual_has_one_row(client):
    assert client("select 1 + 1 from dual") == [(2,)]
    assert client("select d.dummy, (select dual.dummy from dual) from DUAL d") == [(None, None)]


def test_a_schema_is_replaced_with_all_that_it_holds(client):
    client("create schema old")
    client("create table old.t (id int)")
    client("create or replace schema old")

    assert client("show tables in schema old") == []
    stranger = with_role(client, "stranger")
    name = client.session.database
    for statement in (
        f"create or replace schema {name}.old",
        f"describe schema {name}.old",
        f"describe database {name}",
    ):
        with pytest.raises(SqlError, match="does not exist or not authorized|lacks CREATE SCHEMA"):
            stranger(statement)
    with pytest.raises(SqlError, match="already exists"):
        client("create schema old")


def test_a_database_is_replaced_whole_or_not_at_all_wherever_the_account_stops(tmp_path, monkeypatch):
    account = Account(tmp_path / "account")
    session = account.login("LOCAL", "", None, None)
    for statement in ("create database shop", "create table orders as select 1 as id"):
        statements.execute(session, statement)
    stops = []

    def stop_before(method):
        def stopping(*arguments):
            stops.append(tmp_path / f"stop{len(stops)}")
            shutil.copytree(account.directory, stops[-1])
            return method(*arguments)

        return stopping

    for name in ("_attach", "_detach", "_remove", "create_schema"):
        monkeypatch.setattr(account, name, stop_before(getattr(account, name)))
    statements.execute(session, "create or replace database shop")
    account.close()

    found = []
    for stop in stops:
        after = Account(stop)
        tables = statements.execute(after.login("LOCAL", "", None, None), "show tables in schema shop.public")
        found.append(tables.rowcount)
        after.close()
    assert found == sorted(found, reverse=True)
    assert set(found) == {1, 0}


def test_code_with_its_owners_rights_does_not_see_the_variables_of_its_caller(client):
    client("set told = 'caller'")
    client("create procedure tells() returns varchar language sql as 'begin return $told; end'")

    assert client.value("select $told") == "caller"
    with pytest.raises(SqlError, match=r"TOLD"):
        client("call tells()")


@pytest.mark.parametrize("name", ["information_schema", '"_ACCOUNT"', "a$b"])
def test_some_names_of_schemas_are_refused(client, name):
    with pytest.raises(SqlError, match="schema of the name"):
        client(f"create schema {name}")


def test_the_id_of_an_earlier_statement_is_counted_from_the_newest_or_the_first(client):
    for number in range(3):
        client(f"select {number} as n")

    assert client("select * from table(result_scan(last_query_id(-2)))") == [(1,)]
    assert client.value("select last_query_id(1) = last_query_id(-1)") is False
    assert client.value("select last_query_id(-500)") is None


def test_an_outer_join_with_nothing_on_one_side_still_has_rows(client):
    client("create table n as select column1 as i from values (1), (2), (3)")
    client("create table empty_one (i int, a int)")
    client("create view v as with e as (select i, a from empty_one) select n.i, e.a from n left join e on n.i = e.i")

    assert len(client("select * from v limit 1")) == 1
    assert client.value("select count(*) from n where exists (select 1 from v)") == 3


def test_a_variable_of_a_script_is_a_date_part(client):
    assert client("""execute immediate $$ declare u varchar default 'month'; d date default '2024-01-31'; begin
        let later date := dateadd(:u, 1, :d);
        return later || ' ' || date_trunc(:u, :d) || ' ' || datediff(u, :d, later);
    end $$""") == [("2024-02-29 2024-01-01 1",)]
