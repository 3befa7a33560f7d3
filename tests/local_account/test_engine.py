"""Snowflake's statements on DuckDB: the cases, and what cannot be said in a case."""

import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from local_account import engine, results, rewrites
from local_account.errors import LOCK_CONFLICT, SqlError
from local_account.results import python_rows
from sqlglot import exp

CASES = Path(__file__).with_name("cases")
NOW = datetime.datetime(2024, 5, 6, 7, 8, 9, 123456, tzinfo=datetime.UTC)


class Session:
    """Runs statements in the schema LOCAL.CASES, as the account would: with every table's name in full."""

    def __init__(self, connection):
        self.cursor = connection.cursor()
        self.context = engine.Context(NOW, {"current_role": "TESTER", "current_database": "LOCAL"})

    def run(self, sql, *binds, in_transaction=False):
        return engine.run(self.cursor, qualified(engine.parse(sql)), binds, self.context, in_transaction=in_transaction)

    def rows(self, sql, *binds):
        return python_rows(self.run(sql, *binds))

    def names(self, sql):
        return [column.name for column in self.run(sql).columns]


def qualified(tree):
    common = {cte.alias.upper() for cte in tree.find_all(exp.CTE)}
    for table in tree.find_all(exp.Table):
        if isinstance(table.this, exp.Identifier) and table.name.upper() not in common and not table.db:
            for part, name in (("this", table.name.upper()), ("db", "CASES"), ("catalog", "LOCAL")):
                table.set(part, exp.to_identifier(name, quoted=True))
    return tree


@pytest.fixture
def session():
    connection = engine.connect_duckdb()
    connection.execute("attach ':memory:' as \"LOCAL\"")
    engine.prepare_database(connection, "LOCAL")
    connection.execute('create schema "LOCAL"."CASES"')
    yield Session(connection)
    connection.close()


# --- cases: a statement, then `--= names`, `--> a row | of values` for each row, or `--! an error's number`


def statements_of(path):
    found, lines = [], []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if line.startswith(("-->", "--!", "--=", "--:")):
            found[-1][2].append(line)
        elif line.startswith("--") or not line.strip():
            continue
        else:
            lines.append(line)
            if line.endswith(";"):
                found.append((number, "\n".join(lines).removesuffix(";"), []))
                lines = []
    return found


def shown(value):
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime.datetime) and value.tzinfo:
        return value.astimezone(datetime.UTC).strftime("%Y-%m-%d %H:%M:%S.%f %z")
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value)


def said(session, sql):
    """What a statement answers, in the form of the cases."""
    try:
        result = session.run(sql)
    except SqlError as error:
        return [f"--! {error.errno}"], error
    names = "--= " + " | ".join(column.name for column in result.columns)
    types = "--: " + " | ".join(type_of(column) for column in result.columns)
    if result.kind != "select":
        return [names, types, *("--> " + " | ".join(map(shown, row)) for row in python_rows(result))], None
    return [names, types, *sorted("--> " + " | ".join(map(shown, row)) for row in python_rows(result))], None


def type_of(column):
    return f"number({column.precision},{column.scale})" if column.type == "fixed" else column.type


@pytest.mark.parametrize("path", sorted(CASES.glob("*.sql")), ids=lambda path: path.stem)
def test_cases_answer_what_they_say(session, path):
    wrong = []
    for number, sql, expected in statements_of(path):
        answer, error = said(session, sql)
        wanted_kinds = {line[:3] for line in expected} or {"---"}
        answer = [line for line in answer if line[:3] in wanted_kinds or line[:3] == "--!"]
        rows = lambda lines: sorted(line.rstrip() for line in lines)  # noqa: E731
        if rows(answer) != rows(expected):
            wrong.append(f"{path.name}:{number}: {sql}\n  expected {expected}\n  answered {answer} {error or ''}")
    assert not wrong, "\n".join(wrong)


# --- what a case cannot say


def test_errors_of_times_show_what_was_written(session):
    for sql, said in (
        ("select to_date('x', 'DD.MM.YYYY')", "Can't parse 'x' as date with format 'DD.MM.YYYY'"),
        (
            "select to_timestamp('x', 'MON DD HH12:MI AM')",
            "Can't parse 'x' as timestamp with format 'MON DD HH12:MI AM'",
        ),
        ("select '2020-01-01 1:00 pm'::timestamp", "Timestamp '2020-01-01 1:00 pm' is not recognized"),
        ("select '1:00 pm'::time", "Time '1:00 pm' is not recognized"),
        ("select '1_0'::int", "Numeric value '1_0' is not recognized"),
    ):
        with pytest.raises(SqlError) as failed:
            session.run(sql)
        assert failed.value.message == said


def test_binds_keep_their_places_and_take_casts(session):
    assert session.rows("select ?::int, ? || 'x', :1 + 1", 5, "a") == [(5, "ax", 6)]
    assert session.rows("with a as (select ? x) select x, ? y from a where x > ?", 3, "b", 1) == [(3, "b")]
    assert session.rows("select object_construct('b', ?, 'a', ?)", 1, "x") == [('{"a":"x","b":1}',)]
    with pytest.raises(SqlError, match="Bind variable"):
        session.run("select ?, ?", 1)
    assert session.rows("select :2", 1, "b") == [("b",)]
    assert [column.name for column in session.run("select ?, ? || 'x'", 1, "b").columns] == ["?", "? || 'X'"]
    session.run("create table bound (v variant, s varchar, n int)")
    session.run("insert into bound select to_variant(?), ?, ?", "text", 5, "7")
    assert session.rows("select * from bound") == [('"text"', "5", 7)]


def test_a_bind_that_nobody_gave_is_named_and_one_that_orders_orders_nothing(client):
    for asked in ("select :x", "select 1 as n where 1 = :x", "create table t as select :x as n"):
        with pytest.raises(SqlError, match="Bind variable :x not set"):
            client(asked)
    assert client("select column1 from (values (1), (2)) where column1 >= ? order by column1 desc, ?", 1, 9) == [
        (2,),
        (1,),
    ]
    client("create table t as select ? as n, ? as name", 5, "o'clock")
    assert client("select * from t where n = ?", 5) == [(5, "o'clock")]


def test_binds_of_all_types_come_back_as_they_went(session):
    values = [
        None,
        1,
        1.5,
        True,
        "text",
        Decimal("12.50"),
        datetime.date(2024, 1, 2),
        datetime.datetime(2024, 1, 2, 3, 4, 5, 678000),
        NOW,
        b"bytes",
    ]
    assert session.rows("select " + ", ".join("?" for _ in values), *values) == [tuple(values)]


def test_many_rows_of_binds_are_one_insert(session):
    session.run("create table many (a int, b varchar, c timestamp_ntz)")
    rows = [(number, f"row {number}", datetime.datetime(2024, 1, 1) if number else None) for number in range(1000)]
    result = engine.run_many(
        session.cursor,
        qualified(engine.parse("insert into many (a, b, c) values (?, upper(?), ?)")),
        rows,
        session.context,
    )
    assert result.rowcount == 1000
    assert session.rows("select count(*), min(b), count(c) from many") == [(1000, "ROW 0", 999)]


def test_the_moment_moves_with_the_context_and_into_views_and_defaults(session):
    session.run("create table stamped (id int, at timestamp_ntz default current_timestamp()::timestamp_ntz)")
    session.run("create view clock as select current_timestamp()::timestamp_ntz now, current_role() role")
    session.run("insert into stamped (id) values (1)")
    session.context = engine.Context(NOW + datetime.timedelta(days=1), {"current_role": "OTHER"})
    session.run("insert into stamped (id) values (2)")
    first, second = session.rows("select at from stamped order by id")
    assert second[0] - first[0] == datetime.timedelta(days=1)
    assert session.rows("select * from clock") == [((NOW + datetime.timedelta(days=1)).replace(tzinfo=None), "OTHER")]


def test_the_time_zone_of_the_session_is_that_of_its_clock(session):
    session.context = engine.Context(NOW, {}, "America/New_York")
    assert session.rows(
        "select current_timestamp()::varchar, current_date(), current_timestamp()::timestamp_ntz::varchar"
    ) == [("2024-05-06 03:08:09.123 -0400", datetime.date(2024, 5, 6), "2024-05-06 03:08:09.123")]


def test_a_mistake_leaves_the_transaction_alive(session):
    session.run("create table kept (id int)")
    session.cursor.begin()
    session.run("insert into kept values (1)", in_transaction=True)
    for mistake in ("select nosuch from kept", "insert into nosuch values (1)", "select nosuch(1)"):
        with pytest.raises(SqlError) as raised:
            session.run(mistake, in_transaction=True)
        assert not raised.value.transaction_lost, mistake
    session.run("insert into kept values (2)", in_transaction=True)
    session.cursor.commit()
    assert session.rows("select count(*) from kept") == [(2,)]


def test_an_error_at_run_time_says_that_the_transaction_is_lost(session):
    session.run("create table kept (id int not null, name varchar)")
    session.run("insert into kept values (1, 'x')")
    session.cursor.begin()
    with pytest.raises(SqlError) as raised:
        session.run("insert into kept select name::int, name from kept", in_transaction=True)
    assert raised.value.errno == 100038
    assert raised.value.transaction_lost
    session.cursor.rollback()


def test_a_statement_of_two_steps_happens_whole_or_not_at_all(session):
    session.run("create table whole (id int not null)")
    session.run("insert into whole values (1)")
    with pytest.raises(SqlError):
        session.run("insert overwrite into whole select null")
    assert session.rows("select id from whole") == [(1,)]


def test_hidden_columns_are_left_out_of_inserts_and_descriptions(session):
    session.run("create table tracked (id int, name varchar(20))")
    session.cursor.execute(
        'alter table "LOCAL"."CASES"."TRACKED" add column "METADATA$TXN" bigint default getvariable(\'txn\')'
    )
    engine.prepare_database(session.cursor, "LOCAL")
    session.cursor.execute("set variable txn = 7")
    session.run("insert into tracked values (1, 'a')")
    session.run("insert into tracked select 2, 'b'")
    session.run(
        "merge into tracked t using (select 3 id) s on t.id = s.id when not matched then insert values (s.id, 'c')"
    )
    session.run("alter table tracked add column size number(5, 0) default 4")
    session.run("create or alter table tracked (id int, name varchar(30), size number(5, 0))")
    assert session.rows('select id, name, size, "METADATA$TXN" from tracked order by id') == [
        (1, "a", 4, 7),
        (2, "b", 4, 7),
        (3, "c", 4, 7),
    ]
    assert [column["name"] for column in engine.describe_table(session.cursor, "LOCAL", "CASES", "TRACKED")] == [
        "ID",
        "NAME",
        "SIZE",
    ]


def test_registered_tables_are_read_inside_a_transaction_that_writes(session):
    import pyarrow as pa

    session.run("create table sink (id int)")
    tree = qualified(engine.parse("insert into sink select x from t"))
    tree.find(exp.Select).args["from_"].this.replace(exp.to_table('"_RELATION_1"', dialect="snowflake"))
    session.cursor.begin()
    tables = {"_RELATION_1": pa.table({"X": [1, 2, 3]})}
    assert engine.run(session.cursor, tree, [], session.context, in_transaction=True, tables=tables).rowcount == 3
    session.cursor.commit()
    assert session.rows("select sum(id) from sink") == [(6,)]


def test_tables_are_described_as_they_were_declared(session):
    session.run(
        "create table described (id number(18, 0) not null comment 'Key.', name varchar(20) default 'x', v variant, "
        "f int, t timestamp_tz, b binary, primary key (id)) comment = 'One.'"
    )
    session.run("create view seen (who comment 'Whom.') comment = 'Two.' as select id from described")
    found = engine.describe_table(session.cursor, "LOCAL", "CASES", "DESCRIBED")
    assert [
        (column["name"], column["type"], column["null?"], column["default"], column["primary key"], column["comment"])
        for column in found
    ] == [
        ("ID", "NUMBER(18,0)", "N", None, "Y", "Key."),
        ("NAME", "VARCHAR(20)", "Y", "'x'", "N", None),
        ("V", "VARIANT", "Y", None, "N", None),
        ("F", "NUMBER(38,0)", "Y", None, "N", None),
        ("T", "TIMESTAMP_TZ(9)", "Y", None, "N", None),
        ("B", "BINARY(8388608)", "Y", None, "N", None),
    ]
    (column,) = engine.describe_table(session.cursor, "LOCAL", "CASES", "SEEN")
    assert (column["name"], column["type"], column["comment"]) == ("WHO", "NUMBER(18,0)", "Whom.")
    tables = {table["name"]: table for table in engine.list_tables(session.cursor, "LOCAL")}
    assert tables["DESCRIBED"]["kind"] == "TABLE"
    assert tables["DESCRIBED"]["comment"] == "One."
    assert tables["SEEN"]["kind"] == "VIEW"
    assert tables["SEEN"]["text"].startswith("create view seen (who comment")
    with pytest.raises(SqlError) as raised:
        engine.describe_table(session.cursor, "LOCAL", "CASES", "NOSUCH")
    assert raised.value.errno == 2003


def test_columns_are_known_without_running(session):
    session.run("create table told (id number(18, 0), v variant)")
    columns = engine.describe(
        session.cursor,
        qualified(engine.parse("select id, v:a::varchar n, count(*), 1/0 from told where id = ? group by 1, 2")),
        [],
        session.context,
    )
    assert [(column.name, column.type) for column in columns] == [
        ("ID", "fixed"),
        ("N", "text"),
        ("COUNT(*)", "fixed"),
        ("1/0", "fixed"),
    ]
    assert [
        column.name
        for column in engine.describe(session.cursor, qualified(engine.parse("insert into told (id) values (?)")))
    ] == ["number of rows inserted"]


def decoded(result):
    """The rows of a result as the connector reads them from the wire."""
    import base64

    from snowflake.connector.arrow_context import ArrowConverterContext
    from snowflake.connector.nanoarrow_arrow_iterator import PyArrowRowIterator

    context = ArrowConverterContext({"TIMEZONE": "UTC"})
    return list(
        PyArrowRowIterator(None, base64.b64decode(results.arrow_base64(result)), context, False, False, False, False)
    )


def test_the_connector_reads_what_is_sent(session):
    session.run(
        "create table sent (n number(38, 0), m number(12, 2), big number(38, 2), f float, b boolean, d date, t "
        "time, ts timestamp_ntz, tz timestamp_ltz, v variant, s varchar, bin binary)"
    )
    session.run(
        "insert into sent select 5, 1.50, 12345678901234567890123456789012345.67, 0.1, true, '2024-01-02', "
        "'10:11:12.123456', '1969-12-31 23:59:59.5',"
        " '2024-01-02 03:04:05 +0000', parse_json('[1]'), 'text', to_binary('6162', 'hex')"
    )
    session.run("insert into sent (n) values (null)")
    full, empty = decoded(session.run("select * from sent order by s nulls last"))
    assert full[:3] == (5, Decimal("1.50"), Decimal("12345678901234567890123456789012345.67"))
    assert isinstance(full[0], int)
    assert full[3:9] == (
        0.1,
        True,
        datetime.date(2024, 1, 2),
        datetime.time(10, 11, 12, 123456),
        datetime.datetime(1969, 12, 31, 23, 59, 59, 500000),
        datetime.datetime(2024, 1, 2, 3, 4, 5, tzinfo=datetime.UTC),
    )
    assert full[9:] == ("[1]", "text", b"ab")
    assert empty == (None,) * 12
    assert decoded(session.run("select n, ts, v from sent where false")) == []


def test_rows_are_sent_as_text_too(session):
    result = session.run(
        "select 1, 1.50, 'a', true, '2024-01-02'::date, '1970-01-02 00:00:00.5'::timestamp_ntz, null, '00:00:01'::time"
    )
    assert results.json_rowset(result) == [["1", "1.50", "a", "1", "19724", "86400.500000000", None, "1.000000000"]]
    assert [column["type"] for column in results.rowtype(result.columns)] == [
        "fixed",
        "fixed",
        "text",
        "boolean",
        "date",
        "timestamp_ntz",
        "text",
        "time",
    ]


def test_binds_are_read_from_the_wire():
    def read(kind, value):
        return results.from_binding({"type": kind, "value": value})

    assert read("FIXED", "5") == 5
    assert read("FIXED", "1.50") == Decimal("1.50")
    assert read("FIXED", ["1", None]) == [1, None]
    assert read("REAL", "1.5") == 1.5
    assert read("TEXT", None) is None
    assert read("BOOLEAN", "true") is True
    assert read("DATE", "1704153600000") == datetime.date(2024, 1, 2)
    assert read("TIMESTAMP_NTZ", "1704164645678000000") == datetime.datetime(2024, 1, 2, 3, 4, 5, 678000)
    assert read("TIMESTAMP_NTZ", "-500000000") == datetime.datetime(1969, 12, 31, 23, 59, 59, 500000)
    assert read("TIMESTAMP_TZ", "1704164645000000000 1560").isoformat() == "2024-01-02T05:04:05+02:00"
    assert read("TIME", "3723000000000") == datetime.time(1, 2, 3)
    assert read("BINARY", "6162") == b"ab"
    with pytest.raises(SqlError):
        read("FIXED", "x")


def test_many_paths_of_one_variant_are_one_parse():
    text = rewrites.translate(
        engine.parse("select j:a::int, j:b::varchar, j:c.d::date, k:a::int from t where j:e::int = 1")
    )

    assert text.lower().count("json_extract_string(\"j\", ['$.a', '$.b', '$.c.d'])") == 3
    assert text.count("->>") == 2  # of k, and of WHERE: one path each


@pytest.mark.parametrize(
    ("condition", "is_together"), [("a > 1", True), ("a > 1 and exists (select id)", True), ("a > 1 and id = 1", False)]
)
def test_many_paths_are_one_parse_below_a_filter_too_unless_the_filter_serves_the_reading(condition, is_together):
    query = f"with typed as (select id, j:a::int as a, j:b::varchar as b from t) select b from typed where {condition}"
    text = rewrites.translate(engine.parse(query))

    assert ("LIMIT 4611686018427387904" in text) == ("JSON_EXTRACT_STRING" in text) == is_together


def test_a_syntax_error_says_where():
    with pytest.raises(SqlError, match=r"syntax error line 2 at position \d+ unexpected"):
        engine.parse("select 1,\n  (2 from x")
    with pytest.raises(SqlError) as raised:
        engine.parse("")
    assert raised.value.errno == 900
    with pytest.raises(SqlError) as raised:
        engine.parse("select 1; select 2")
    assert raised.value.errno == 8


def test_what_sqlglot_does_not_know_is_left_to_others():
    assert isinstance(engine.parse("create stream s on table t"), exp.Command)
    assert isinstance(engine.parse("start transaction"), exp.Transaction)
    comment = engine.parse("comment on column a.b.c is 'x'")
    assert (comment.this.sql(), comment.args["column"].name) == ("a.b", "c")


def test_errors_travel_between_processes():
    import pickle

    error = pickle.loads(pickle.dumps(SqlError(2003, "gone", "42S02", transaction_lost=True)))
    assert (error.errno, error.message, error.sqlstate, error.transaction_lost) == (2003, "gone", "42S02", True)


def test_the_second_writer_of_a_row_hears_of_a_lock(session):
    session.run("create table shared (id int)")
    session.run("insert into shared values (1)")
    other = Session(session.cursor)
    session.cursor.begin()
    other.cursor.begin()
    session.run("update shared set id = 2", in_transaction=True)
    with pytest.raises(SqlError) as raised:
        other.run("update shared set id = 3", in_transaction=True)
    assert (raised.value.errno, raised.value.transaction_lost) == (LOCK_CONFLICT, True)
    other.cursor.rollback()
    session.cursor.commit()
    assert session.rows("select id from shared") == [(2,)]
