"""Functions of an account: in expressions, and as tables with their partitions and their place among other relations."""

import json
from decimal import Decimal

import pytest
from local_account import statements
from local_account.errors import SqlError

TOTAL = """
    create or replace function total(n int, factor int) returns table (total int, largest int)
    language python runtime_version = '3.11' packages = ('pandas') handler = 'Total' as
    $$
import pandas as pd

class Total:
    def end_partition(self, df):
        values = df.iloc[:, 0].astype("int64") * df.iloc[:, 1].astype("int64")
        yield pd.DataFrame({"total": [values.sum()], "largest": [values.max()]})

    end_partition._sf_vectorized_input = pd.DataFrame
    $$
"""


@pytest.fixture
def total(client):
    client("create table numbers (part varchar, n int)")
    client("insert into numbers values ('a', 1), ('a', 2), ('b', 10)")
    client(TOTAL)
    return client


def test_a_partition_at_a_time_is_given_and_its_key_can_be_selected(total):
    found = total(
        "select s.part, t.total, t.largest from numbers s, table(total(s.n, 1) over (partition by s.part)) t order by 1"
    )

    assert found == [("a", 3, 2), ("b", 10, 10)]


def test_the_partition_key_keeps_the_columns_name(total):
    calls = "numbers s, table(total(s.n, 1) over (partition by s.part)) t"

    total(f"create table sums as select s.part, t.* from {calls}")
    assert [row[0] for row in total("describe table sums")] == ["PART", "TOTAL", "LARGEST"]
    assert total(f"select part, total + 1 as more from (select part, total from {calls}) order by part") == [
        ("a", 4), ("b", 11),
    ]  # fmt: skip


def test_other_columns_of_the_input_cannot_be_selected(total):
    with pytest.raises(SqlError, match="only the partition key"):
        total("select s.n from numbers s, table(total(s.n, 1) over (partition by s.part)) t")


def test_binds_keep_their_values_on_both_sides_of_the_function(total):
    found = total(
        """
        with scaled as (select ? as label, part, n, ? as factor from numbers),
        made as (select t.total from scaled s, table(total(s.n, s.factor) over (partition by s.part)) t)
        select ?, total, ? from made where total > ? order by total
        """,
        "label", 10, "left", "right", 50,
    )  # fmt: skip

    assert found == [("left", 100, "right")]


def test_one_function_feeds_another(total):
    found = total(
        """
        with first as (select t.total, s.part from numbers s, table(total(s.n, 2) over (partition by s.part)) t)
        select t.total from first s, table(total(s.total, 1) over (partition by 1)) t
        """
    )

    assert found == [(26,)]


def test_a_function_fills_a_table_in_the_callers_transaction(total):
    total("create table totals (total int)")

    total("begin")
    total("insert into totals (total) select t.total from numbers s, table(total(s.n, 1) over (partition by s.part)) t")
    total("rollback")

    assert total.value("select count(*) from totals") == 0


def test_the_rows_of_a_function_have_its_own_columns_only(client):
    client(
        'create function twice(n int) returns table (m int) language python runtime_version = "3.11" comment = "two" handler = \'H\' as $$\n'
        "class H:\n    def process(self, n):\n        yield (n,)\n        yield (2 * n,)\n$$"
    )

    assert client("select * from table(twice(3))") == [(3,), (6,)]
    with pytest.raises(SqlError, match="name the columns"):
        client("select * from (select 1 as n) s, table(twice(s.n) over (partition by s.n)) t")


def test_a_strict_function_is_refused(client):
    with pytest.raises(SqlError, match="Unsupported feature 'STRICT'"):
        client("create function f(n int) returns int strict as 'coalesce(n, 7)'")


@pytest.mark.parametrize(
    ("feature", "statement"),
    [
        (
            "EXTERNAL_ACCESS_INTEGRATIONS",
            "create function f(n int) returns int external_access_integrations = (i) as 'n'",
        ),
        ("RETURNS NULL ON NULL INPUT", "create function f(n int) returns int returns null on null input as 'n'"),
        ("COPY GRANTS", "create procedure p() copy grants returns int as begin return 1; end"),
        ("OUT arguments", "create procedure p(n out int) returns int as begin return 1; end"),
        ("a session variable as an option", "create task t schedule = $every as select 1"),
        (
            "a comma between options",
            "create procedure p() returns int language sql, comment = 'x' as 'begin return 1; end'",
        ),
        ("TAG", "create task t with tag (cost = 'x') schedule = '5 minutes' as select 1"),
    ],
)
def test_a_clause_that_is_not_there_is_refused_by_name(client, feature, statement):
    with pytest.raises(SqlError, match=f"Unsupported feature '{feature}'"):
        client(statement)


def test_a_block_as_the_body_of_a_function_is_refused_by_name(client):
    client("create function f(n int) returns int as $$ begin return n; end $$")
    with pytest.raises(SqlError, match="Unsupported feature 'a block as the body of a function'"):
        client("select f(1)")


def test_an_argument_may_say_that_it_goes_in(client):
    client("create procedure p(a in number, b input varchar) returns varchar as begin return a || b; end")
    assert client.value("call p(4, 'a')") == "4a"


def test_constants_and_casts_tell_overloads_apart(client):
    client("create table numbers (n int)")
    client("insert into numbers values (1)")
    for type_ in ("int", "varchar", "date"):
        client(f"create function f(x {type_}) returns varchar as $$ '{type_}' $$")
        client(f"create procedure p(x {type_}) returns varchar as $$ begin return '{type_}'; end $$")
    given = ["1", "1.5", "'a'", "1::varchar", "upper('a')", "current_date()", "x => '1'"]
    taken = ["int", "int", "varchar", "varchar", "varchar", "date", "varchar"]

    assert [client.value(f"select f({value})") for value in given] == taken
    assert [client.value(f"call p({value})") for value in given] == taken
    assert client.value("select f(n::varchar) from numbers") == "varchar"
    with pytest.raises(SqlError, match="types do not tell the overload.*cast the arguments"):
        client("select f(n) from numbers")
    with pytest.raises(SqlError, match="types do not tell the overload"):
        client("select f(1e2)")  # a FLOAT


@pytest.mark.parametrize(
    "written", ["call", "call p", "call p() from numbers", "call p() limit 1", "call p(), p()", "call p() n"]
)
def test_a_call_is_of_a_procedure_with_its_arguments(client, written):
    client("create procedure p() returns int as begin return 1; end")
    with pytest.raises(SqlError, match="CALL needs a procedure with its arguments"):
        client(written)


def test_a_variable_takes_what_a_procedure_returns(client):
    client("create procedure twice(n number) returns number as begin return n * 2; end")
    assert client.value("begin let r := 1; r := (call twice(:r + 1)); return r; end") == "4"
    with pytest.raises(SqlError, match="Unsupported feature 'CALL as the first value of a variable'"):
        client("begin let r int := (call twice(2)); return r; end")


def test_a_type_that_cannot_be_told_fails_the_call(client):
    client("create procedure p() returns int as begin let a := (select count(*) from nosuch); return a; end")
    with pytest.raises(SqlError, match="cannot have its type inferred"):
        client("call p()")


def test_no_input_gives_no_rows(total):
    assert (
        total(
            "select t.total from (select n from numbers where n > 99) s, table(total(s.n, 1) over (partition by 1)) t"
        )
        == []
    )


def test_a_handler_that_fails_says_where(client):
    client(TOTAL.replace("values.sum()", "values.nothing()"))

    with pytest.raises(SqlError, match=r"(?s)Python Interpreter Error.*nothing.*in function TOTAL with handler Total"):
        client("select t.total from (select 1 as n) s, table(total(s.n, 1) over (partition by 1)) t")


def test_a_python_function_is_asked_for_each_row_and_once(client):
    client(
        "create function drawn() returns float language python runtime_version = '3.11' handler = 'draw' as $$\n"
        "import random\n\ndef draw():\n    return random.random()\n$$"
    )

    assert client.value("select count(distinct drawn()) from table(generator(rowcount => 5))") == 5


def test_a_language_that_is_not_there_is_refused_by_name(client):
    with pytest.raises(SqlError, match="Unsupported feature 'LANGUAGE JAVASCRIPT'"):
        client("create function f() returns int language javascript as 'return 1'")


def test_a_function_of_sql_is_an_expression(client):
    client("create table prices (price number(12, 2), part varchar)")
    client("insert into prices values (10.00, 'a'), (5.50, 'b')")
    client(
        "create function with_tax(price number(12, 2), rate float default 0.1) returns number(12, 2) as 'price * (1 + rate)'"
    )

    assert client("select part, with_tax(price), with_tax(price, rate => ?) from prices order by part", 0.5) == [
        ("a", Decimal("11.00"), Decimal("15.00")), ("b", Decimal("6.05"), Decimal("8.25"))
    ]  # fmt: skip


def test_a_function_of_sql_may_ask_tables_and_other_functions(client):
    client("create table numbers (n int)")
    client("insert into numbers values (1), (2)")
    client("create function doubled(n int) returns int as 'n * 2'")
    client(
        "create function above(least int) returns int as 'select sum(doubled(numbers.n)) from numbers where numbers.n >= least'"
    )

    assert client("select above(1), above(2), above(3)") == [(6, 4, None)]


def test_a_table_function_of_sql_gives_its_declared_columns(client):
    client("create table numbers (n int)")
    client("insert into numbers values (1), (2), (3)")
    client(
        "create function above(least int) returns table (found int, label varchar) as 'select n, to_varchar(n) from numbers where n > least'"
    )

    assert client("select f.found, f.label from table(above(?)) f order by 1", 1) == [(2, "2"), (3, "3")]


def test_a_function_that_calls_itself_is_refused(client):
    client("create function f(n int) returns int as 'n'")
    client("create or replace function f(n int) returns int as 'f(n - 1)'")

    with pytest.raises(SqlError, match="calls itself"):
        client("select f(3)")


@pytest.mark.parametrize("vectorised", [False, True])
def test_a_function_of_python_is_called_row_by_row_or_with_columns(client, vectorised):
    handler = "import pandas as pd\ndef add(a, b):\n    return a + b\n"
    if vectorised:
        handler += "add._sf_vectorized_input = pd.Series\n"
    client(
        "create function added(a int, b number(12, 2)) returns number(12, 2) language python runtime_version = '3.11' "
        f"packages = ('pandas') handler = 'add' as $$\n{handler}$$"
    )
    client("create table pairs (a int, b number(12, 2))")
    client("insert into pairs values (1, 2.5), (2, 0.25)")

    if not vectorised:
        assert client("select added(a, b), added(a, ?) + 1 from pairs order by a", 1) == [
            (Decimal("3.50"), Decimal("3.00")), (Decimal("2.25"), Decimal("4.00"))
        ]  # fmt: skip
    else:
        assert len(client("select added(a, a) from pairs")) == 2


def test_a_function_of_python_takes_and_gives_what_sql_has(client):
    client(
        "create function echo(a variant, d date, t timestamp_ntz, s varchar) returns variant language python runtime_version = '3.11' "
        "handler = 'f' as $$\ndef f(a, d, t, s):\n    return {'a': a, 'd': d.year, 't': t.hour, 's': s}\n$$"
    )

    found = client.value(
        "select echo(parse_json('{\"x\": [1]}'), '2024-02-03'::date, '2024-02-03 04:05:06'::timestamp_ntz, null)"
    )
    assert json.loads(found) == {"a": {"x": [1]}, "d": 2024, "t": 4, "s": None}
    client(
        "create function nothing() returns varchar language python runtime_version = '3.11' handler = 'f' as $$\ndef f():\n    return 'x'\n$$"
    )
    assert client("select nothing() from (values (1), (2))") == [("x",), ("x",)]


def test_a_function_of_python_that_fails_says_where(client):
    client(
        "create function f(n int) returns int language python runtime_version = '3.11' handler = 'f' as $$\ndef f(n):\n    return n.nothing\n$$"
    )

    with pytest.raises(SqlError, match=r"(?s)Python Interpreter Error.*nothing.*in function F with handler f"):
        client("select f(1)")


def test_a_table_can_be_made_from_a_function(total):
    total("create table totals as select t.total from numbers s, table(total(s.n, 1) over (partition by s.part)) t")

    assert [(3,), (10,)] == total("select total from totals order by 1")


@pytest.mark.parametrize("head", ["(start int) returns int", "(a int) returns table (row int)"])
def test_an_argument_and_a_column_are_no_reserved_words_unless_they_are_quoted(client, head):
    create = "create procedure named{} language sql as $$begin return table(select 1); end$$"

    with pytest.raises(SqlError, match="The word is reserved"):
        client(create.format(head))
    client(create.format(head.replace("start", '"START"').replace("row", '"ROW"')))


def test_a_text_is_no_variant_and_arguments_have_names_of_their_own(client):
    client("create function kind_of(v variant) returns varchar as 'typeof(v)'")
    client("create procedure kind_of(v variant) returns varchar as 'begin return typeof(v); end'")
    client("create procedure number() returns int as 'begin return ''abc''; end'")

    assert (client.value("select kind_of(5)"), client.value("call kind_of(5)")) == ("INTEGER", "INTEGER")
    with pytest.raises(SqlError, match="V is variant, not VARCHAR: use PARSE_JSON or TO_VARIANT"):
        client("select kind_of('text')")
    with pytest.raises(SqlError, match="expecting VARIANT but got VARCHAR"):
        client("call kind_of('text')")
    with pytest.raises(SqlError, match="'abc' is not recognized"):
        client("call number()")
    with pytest.raises(SqlError, match="two arguments have one name"):
        client("create function twice(n int, N varchar) returns int as '1'")
    with pytest.raises(SqlError, match="named with its argument types"):
        client("drop function kind_of")


def test_a_table_can_be_named_by_a_variable(client):
    client("create table named (n int)")
    client("set name = 'named'")
    client("insert into table($name) values (1)")

    block = "begin let t := 'named'; insert into identifier(:t) (n) values (2); delete from table(:t) where n = 1; return sqlrowcount; end"
    assert client.value(block) == "1"
    assert client("select n from table('named')") == client("select n from identifier($name)") == [(2,)]


def test_a_call_by_its_path_names_its_column_as_it_is_written(client):
    client("create function twice(n int) returns int as 'n * 2'")

    result = statements.execute(client.session, "select public.twice(2), twice( 3 )")

    assert [column.name for column in result.columns] == ["PUBLIC.TWICE(2)", "TWICE( 3 )"]


def test_the_rows_of_a_function_keep_their_types_and_show_no_key(client):
    client(
        "create function told(n int) returns table (d variant) language python runtime_version = '3.11' handler = 'H' as $$\n"
        'class H:\n    def process(self, n):\n        yield ({"q": [n]},)\n$$'
    )
    client(
        "create function shouted(b binary) returns binary language python runtime_version = '3.11' handler = 'h' as $$\n"
        'def h(b):\n    return b + b"!"\n$$'
    )
    client("create table kept as select * from table(told(5))")

    assert client.value("select d:q[0]::int from kept") == 5
    joined = "from (select 7 as n) s, table(told(s.n) over (partition by s.n)) t"
    assert (client(f"select t.d:q[0]::int {joined}"), client(f"select t.* {joined}")) == ([(7,)], [('{"q": [7]}',)])
    assert client.value("select shouted(to_binary('61'))") == b"a!"


def test_a_result_is_read_again_with_its_types_and_its_nulls(client):
    client("select parse_json('{\"a\": 1}') as v, 1.5 as n, null as x")

    assert client("select v:a::int, n + 1, x from table(result_scan(last_query_id()))") == [(1, Decimal("2.5"), None)]


@pytest.mark.parametrize(
    "made",
    [
        "procedure f() returns int language sql as 'begin let x := ; return 1; end'",
        "function f() returns int as '1 +'",
        "function f(x int) returns int as 'x + y'",
        "function f() returns int as 'select max(x) from nowhere'",
        "function f(x int) returns table (a int) as 'select y'",
        "function f(x int) returns table (a int) as 'select x, x'",
        "function f() returns int as 'select :v'",
        "function f(x int) returns int as 'f(x - 1)'",
    ],
)
def test_a_body_that_does_not_compile_is_refused_when_it_is_made(client, made):
    with pytest.raises(SqlError, match="SQL compilation error"):
        client(f"create {made}")
    client("create function f(x int, v variant) returns varchar as 'v:a::varchar || x'")

    assert client.value('select f(1, parse_json(\'{"a": "b"}\'))') == "b1"


def test_an_argument_is_given_once_and_none_by_position_after_names(client):
    client("create function less(a int, b int) returns int as 'a - b'")
    client("create procedure less(a int, b int) returns int language sql as 'begin return a - b; end'")

    for asking in ("select", "call"):
        assert client.value(f"{asking} less(b => 1, a => 3)") == 2
        with pytest.raises(SqlError, match="LESS: argument A is given twice"):
            client(f"{asking} less(a => 1, a => 2)")
        with pytest.raises(SqlError, match="by position follows"):
            client(f"{asking} less(a => 1, 2)")


def test_an_argument_of_a_function_that_asks_tables_is_the_callers_column(client):
    client("create table t (a int)")
    client("insert into t values (1), (2), (3)")
    client("create table o (a int)")
    client("insert into o values (1), (2), (5)")
    client("create function found(x int) returns int as 'select count(*) from t where a = x'")
    client("create function there(x int) returns boolean as 'exists (select 1 from t where a = x)'")
    client("create function plus_one(x int) returns int as 'x + 1'")

    assert client("select a, found(a), found(a + 0) from o order by a") == [(1, 1, 1), (2, 1, 1), (5, 0, 0)]
    assert client("select a from o where there(a) order by a") == [(1,), (2,)]
    assert client("select plus_one((select max(a) from o))") == [(6,)]
    with pytest.raises(SqlError, match="aggregate as an argument"):
        client("select found(max(a)) from o")


BROKEN = [
    "update kept sett n = 1;",
    "let x := 5 return x;",
    "if (1 = ) then return 1; end if;",
    "return 1 +;",
    "selec 1;",
    "let c cursor for select from where;",
    "begin null; exception when other then returnn 1; end;",
]


@pytest.mark.parametrize("broken", BROKEN)
def test_a_block_is_read_before_anything_of_it_runs_and_no_handler_catches_that(client, broken):
    client("create table kept (n int)")
    body = f"begin\n  insert into kept values (1);\n  {broken}\nexception when other then return 'caught'; end"

    for made in (body, f"create procedure f() returns int language sql as $${body}$$", f"create task t as {body}"):
        with pytest.raises(SqlError, match=r"^SQL compilation error:\nsyntax error line 3 at position \d+ unexpected"):
            client(made)
    assert client("select * from kept") == []


def test_what_is_known_only_when_a_block_runs_is_refused_then(client):
    client("create table kept (n int)")
    late = [
        "insert into identifier(:t) (n) select top 1 :n - 1 from kept at(offset => :n) limit :n",
        "show tables like :t limit 5",
        "select $nowhere, nosuchfunction(:n)",
        "comment on table kept is :t",
        "create sequence s start = 1",
        "execute immediate 'selec 1'",
    ]
    body = "begin if (n = 0) then " + "".join(f"{statement}; " for statement in late) + "end if; return t; end"
    client(f"create procedure f(n int, t varchar) returns varchar language sql as $${body}$$".replace("top 1", ""))

    assert client.value("call f(1, 'kept')") == "kept"
    caught = "begin execute immediate 'selec 1'; exception when statement_error then return sqlcode; end"
    assert client.value(caught) == "1003"


def test_a_statement_of_a_session_variable_is_executed_with_its_values(client):
    client("set asked = 'select ? + 1 as n'")
    client("set n = 4")

    assert client("execute immediate $asked using ($n)") == [(5,)]
    assert client("execute immediate 'select ? as n' using ($asked)") == [("select ? + 1 as n",)]
    block = "begin let m := 6; let r resultset := (execute immediate $asked using (m)); return table(r); end"
    assert client(block) == [(7,)]
    with pytest.raises(SqlError, match="'\\$NOWHERE' does not exist"):
        client("begin execute immediate $nowhere; end")


def echo(client, type_, returns=None, body="return x"):
    client(
        f"create or replace function echo(x {type_}) returns {returns or type_} language python runtime_version = '3.11' "
        f"handler = 'h' as $$\nimport datetime, decimal\ndef h(x):\n    {body}\n$$"
    )


def test_numbers_of_38_digits_go_through_a_function_of_python_and_nan_stays_nan(client):
    nines = 10**38 - 1
    echo(client, "number(38, 0)")
    rows = client(
        f"select echo(column1) from values (1), ({nines}), (-{nines}), (9999999999999999999999999999), (null)"
    )
    assert [value for (value,) in rows] == [1, nines, -nines, 10**28 - 1, None]
    echo(client, "number(38, 10)")
    assert client.value("select echo(1234567890123456789.1234567891)") == Decimal("1234567890123456789.1234567891")
    echo(client, "int", body="return 10 ** 20")
    assert client.value("select echo(1)") == 10**20
    client("drop function echo(number)")
    echo(client, "float")
    ((nan, infinite, nothing),) = client("select echo('NaN'::float), echo('inf'::float), echo(null)")
    assert (nan != nan, infinite, nothing) == (True, float("inf"), None)


def test_an_array_and_an_object_are_such_and_a_date_in_a_variant_is_text(client):
    echo(client, "varchar", "array", "return eval(x)")
    assert client.value("select echo('(1, 2)')") == "[1,2]"
    for wrong in ('{"a": 1}', "5"):
        with pytest.raises(SqlError, match="is declared ARRAY, but the handler gave"):
            client(f"select echo('{wrong}')")
    echo(client, "varchar", "object", "return eval(x)")
    with pytest.raises(SqlError, match="is declared OBJECT, but the handler gave list"):
        client("select echo('[1]')")
    echo(client, "varchar", "variant", "return eval(x)")
    found = client.value("""select echo('[datetime.date(2020, 1, 2), decimal.Decimal("1.5")]')""")
    assert json.loads(found) == ["2020-01-02", "1.5"]
    with pytest.raises(SqlError, match="not JSON serializable"):
        client("select echo('object()')")
