"""Snowflake Scripting over a real database: a host that translates each statement for an in-memory DuckDB."""

from __future__ import annotations

import datetime
import json
import re
import threading
import time
from decimal import Decimal
from typing import Any

import duckdb
import pytest
import sqlglot
from local_account.errors import SqlError, from_duckdb
from local_account.scripting import Returned, Rows, is_block, run_block, split, to_literal


class DuckHost:
    """A session with SQL procedures: enough of an account to run scripts in."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        self.procedures: dict[str, tuple[tuple[str, ...], str]] = {}
        self.executed: list[str] = []
        self.in_transaction = False

    def execute(self, sql: str, binds: list | None = None) -> Rows:
        self.executed.append(sql)
        word = sql.split()[0].lower()
        if is_block(sql):
            return self._rows(run_block(sql, {}, self), "anonymous block")
        if word == "call":
            return self._call(sql, binds)
        if sql.lower().startswith("create procedure"):
            return self._create(sql)
        try:
            cursor = self.connection.execute(sqlglot.parse_one(sql, read="snowflake").sql("duckdb"), binds or [])
            found = cursor.fetchall() if cursor.description else []
        except duckdb.Error as error:
            failure = from_duckdb(error)
            failure.transaction_lost = self.in_transaction
            raise failure from error
        if word in ("begin", "commit", "rollback"):
            self.in_transaction = word == "begin"
        if word in ("insert", "update", "delete", "merge"):
            return Rows([f"number of rows {word}d"], found, found[0][0], word)
        columns = [column[0].upper() for column in cursor.description or ()]
        parsed = [column[1] == "JSON" for column in cursor.description or ()]
        rows = [
            tuple(json.loads(value) if is_json and value else value for value, is_json in zip(row, parsed, strict=True))
            for row in found
        ]
        return Rows(columns, rows, None, "select" if word in ("select", "with") else "ddl")

    def _create(self, sql: str) -> Rows:
        name, parameters, body = re.match(r"(?is)create procedure (\w+)\((.*?)\).*?\bas\s+(begin.*)", sql).groups()
        self.procedures[name] = (tuple(each.split()[0].upper() for each in parameters.split(",")), body)
        return Rows(["status"], [("Function successfully created.",)], None, "ddl")

    def _call(self, sql: str, binds: list | None) -> Rows:
        name, _, arguments = sql[4:].strip().rstrip(")").partition("(")
        names, body = self.procedures[name]
        values = self.execute(f"select {arguments}", binds).rows[0] if names else ()
        return self._rows(run_block(body, dict(zip(names, values, strict=True)), self), name.upper())

    @staticmethod
    def _rows(returned: Returned, name: str) -> Rows:
        return returned.table or Rows([name], [(returned.value,)])

    def one(self, sql: str) -> Any:
        return self.execute(sql).rows[0][0]


@pytest.fixture
def host() -> DuckHost:
    host = DuckHost()
    host.execute("create table wishes (wanted varchar, total number(38, 0))")
    return host


def returned(host: DuckHost, text: str, **arguments: Any) -> Any:
    return run_block(text, arguments, host).value


def refusal(host: DuckHost, text: str, **arguments: Any) -> SqlError:
    with pytest.raises(SqlError) as caught:
        run_block(text, arguments, host)
    return caught.value


# -- variables and expressions


def test_a_declared_variable_is_null_until_it_is_given_a_value(host):
    assert returned(host, "declare x number; begin return x; end") is None
    assert returned(host, "begin let x number; return x; end") is None
    assert returned(host, "declare x number default 3; y varchar := 'a'; begin return y || x; end;") == "a3"


def test_an_expression_uses_variables_with_and_without_a_colon(host):
    assert returned(host, "begin let x := 2; let y number := x * :x + 1; return y; end") == 5


def test_a_name_in_a_sub_select_is_a_column_unless_it_has_a_colon(host):
    host.execute("insert into wishes values ('STARTED', 1), ('STOPPED', 2)")
    text = """
        declare wanted varchar := 'STARTED'; n number;
        begin n := (select max(total) from wishes where wanted = {}); return n; end
    """
    assert returned(host, text.format("wanted")) == 2
    assert returned(host, text.format(":wanted")) == 1


def test_a_name_that_is_a_function_a_type_or_a_path_is_left_alone(host):
    assert (
        returned(
            host,
            "declare upper varchar := 'a'; date varchar := '2024-01-02'; begin return upper(upper) || date::date; end",
        )
        == "A2024-01-02"
    )
    assert (
        returned(host, "declare v variant := {'a': 5}; a number := 7; begin return v:a || ' ' || v['a']::number; end")
        == "5 5"
    )
    assert returned(host, "declare a number := 7; begin return {'a': a}; end") == {"a": 7}


def test_a_let_may_read_the_outer_variable_that_it_hides(host):
    assert returned(host, "begin let z := 1; begin let z := z + 10; end; return z; end") == 1


def test_every_branch_and_every_loop_body_is_a_scope(host):
    assert returned(host, "begin let a := 1; if (true) then let a := 2; a := 3; end if; return a; end") == 1
    assert returned(host, "begin let a := 1; for i in 1 to 2 do let a := a + 10; end for; return a; end") == 1
    error = refusal(host, "begin let a := 1; if (true) then let b := 2; end if; return :b; end")
    assert (error.errno, error.message) == (
        904,
        "SQL compilation error: error line 1 at position 60\ninvalid identifier 'B'",
    )


@pytest.mark.parametrize(
    ("declared", "value", "held"),
    [
        ("number(5, 2)", "1.005", Decimal("1.01")),
        ("integer", "2.5", 3),
        ("number", "'42'", 42),
        ("varchar", "1.50", "1.50"),
        ("varchar", "true", "true"),
        ("varchar", "'2024-01-02'::date", "2024-01-02"),
        ("boolean", "'yes'", True),
        ("boolean", "0", False),
        ("float", "1", 1.0),
        ("date", "'2024-01-02'", datetime.date(2024, 1, 2)),
        ("timestamp_ntz", "'2024-01-02 03:04:05.678'", datetime.datetime(2024, 1, 2, 3, 4, 5, 678000)),
        ("timestamp_ntz", "null", None),
        ("variant", "parse_json('{\"a\": [1, null]}')", {"a": [1, None]}),
        ("double precision", "1", 1.0),
    ],
)
def test_a_value_takes_the_declared_type(host, declared, value, held):
    found = returned(host, f"declare x {declared}; begin x := {value}; return x; end")
    assert found == held
    assert type(found) is type(held)


@pytest.mark.parametrize(
    ("declared", "value", "errno", "message"),
    [
        ("number", "'a'", 100038, "Numeric value 'a' is not recognized"),
        ("number(3, 0)", "999.5", 100039, "Number out of representable range: type FIXED(3,0), value 999.5"),
        ("varchar(2)", "'abc'", 100078, "String 'abc' is too long and would be truncated"),
        ("boolean", "'maybe'", 100037, "Boolean value 'maybe' is not recognized"),
    ],
)
def test_a_value_that_the_type_cannot_hold_is_an_expression_error(host, declared, value, errno, message):
    error = refusal(host, f"declare x {declared};\nbegin\n  x := {value};\nend")
    assert (error.errno, error.message) == (
        errno,
        f"Uncaught exception of type 'EXPRESSION_ERROR' on line 3 at position 7 : {message}",
    )


def test_an_undeclared_type_is_that_of_the_first_value(host):
    assert returned(host, "begin let n := 0; n := n + 1.5; return n; end") == 2
    assert returned(host, "begin let n := 1.7; n := 123.456; return n; end") == 123.456
    assert returned(host, "begin let s := 'abc'; s := 'abcdef'; return s; end") == "abcdef"


def test_a_type_that_cannot_be_told_is_refused_before_anything_runs(host):
    text = "begin\n  insert into wishes values ('X', 1);\n  let a := (select max(total) from wishes);\n  return a;\nend"
    error = refusal(host, text)
    assert error.errno == 92228 and "variable 'A' cannot have its type inferred from initializer" in error.message
    assert host.one("select count(*) from wishes") == 0
    assert returned(host, "begin let a := (select 1 + 1); return a; end") == 2


def test_a_number_has_38_digits_and_what_is_longer_can_be_caught(host):
    nines = 10**38 - 1
    assert returned(host, f"begin let x int := {nines}; let y := -x; return y; end") == -nines
    assert "EXPRESSION_ERROR" in refusal(host, "begin return n * 1000; end", N=10**36).message
    caught = "begin let y := {}; return y; exception when expression_error then return 'caught'; end"
    assert returned(host, caught.format("n * 1000"), N=10**36) == "caught"
    assert returned(host, caught.format(f"{nines}0")) == "caught"


def test_an_unknown_type_is_refused_by_name(host):
    assert (
        refusal(host, "declare x geometrical; begin return x; end").message
        == "SQL compilation error:\nUnsupported data type 'geometrical'."
    )


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        (None, "null"),
        (True, "true"),
        (-3, "(-3)"),
        (Decimal("1.50"), "1.50"),
        (0.1, "(0.1::float)"),
        ("it's a \\ path", "'it''s a \\\\ path'"),
        (datetime.datetime(2024, 1, 2, 3, 4), "'2024-01-02 03:04:00'::timestamp_ntz"),
        (datetime.datetime(2024, 1, 2, 3, 4, tzinfo=datetime.UTC), "'2024-01-02 03:04:00+00:00'::timestamp_tz"),
        (datetime.date(2024, 1, 2), "'2024-01-02'::date"),
        ({"a": [1, None, "ü"]}, 'parse_json(\'{"a": [1, null, "ü"]}\')'),
        (b"\x01\xff", "to_binary('01ff', 'HEX')"),
    ],
)
def test_a_value_becomes_a_typed_literal(value, literal):
    assert to_literal(value) == literal


def test_a_negative_bind_does_not_become_a_comment(host):
    assert returned(host, "begin let n := -1; let m := 5; m := (select :m -:n); return m; end") == 6


# -- SQL statements


def test_a_bind_in_a_statement_is_a_typed_literal_and_a_path_or_a_cast_is_not_a_bind(host):
    host.connection.execute("create table events (v json)")
    run_block("declare v variant := {'kind': 'it''s'}; begin insert into events select :v; end", {}, host)
    text = """
        declare n number; kind varchar := 'x';
        begin select count(*) into :n from events where v:kind::varchar like '%it''s%'; return n; end
    """
    assert returned(host, text) == 1


def test_the_arguments_are_variables(host):
    assert returned(host, "begin return a || :b; end", A="x", B=2) == "x2"


def test_an_argument_is_held_to_its_declared_type(host):
    types = {"N": "NUMBER(5, 1)", "V": "VARIANT"}
    assert run_block("begin return n; end", {"N": 1.25, "V": "text"}, host, types).value == Decimal("1.3")
    run_block("begin insert into wishes select :v, 1; end", {"N": 1, "V": "text"}, host, types)
    assert "parse_json(?)" in host.executed[-1]


@pytest.mark.parametrize(
    ("returned", "returns", "value"), [("'yes'", "boolean", True), ("7", "varchar", "7"), ("10 / 4", "number(5, 1)", Decimal("2.5"))]
)  # fmt: skip
def test_what_is_returned_is_held_to_its_declared_type(host, returned, returns, value):
    assert run_block(f"begin return {returned}; end", {}, host, returns=returns).value == value


def test_a_value_that_the_declared_type_cannot_hold_is_not_returned(host):
    with pytest.raises(SqlError, match="too long"):
        run_block("begin return 'abcdef'; end", {}, host, returns="varchar(3)")


def test_a_view_takes_names_of_a_script_but_no_values(host):
    text = "begin let v := 1.5; create or replace view seen as select wanted from wishes where total = :v; end"
    error = refusal(host, text)
    assert error.errno == 2210
    assert (
        "STATEMENT_ERROR' on line 1 at position 20 : SQL compilation error:\nBind variables not allowed"
        in error.message
    )
    returned(host, "begin let t := 'wishes'; create view seen as select wanted from identifier(:t); end")
    assert host.executed[-1] == "create view seen as select wanted from identifier('wishes')"


def test_an_undeclared_bind_stops_the_block_before_its_first_statement(host):
    error = refusal(
        host, "begin\n  insert into wishes values ('X', 1);\n  insert into wishes values (:missing, 1);\nend"
    )
    assert (error.errno, error.message) == (
        904,
        "SQL compilation error: error line 3 at position 29\ninvalid identifier 'MISSING'",
    )
    assert host.one("select count(*) from wishes") == 0


def test_select_into_sets_several_variables(host):
    host.execute("insert into wishes values ('STARTED', 7)")
    text = """
        declare w varchar; t number;
        begin select max(wanted), sum(total) into :w, :t from wishes where total > 0; return w || t; end
    """
    assert returned(host, text) == "STARTED7"
    assert "into" not in host.executed[-2]


def test_select_into_without_a_row_makes_the_variables_null(host):
    assert returned(host, "declare w varchar := 'old'; begin select wanted into :w from wishes; return w; end") is None


def test_select_into_refuses_two_rows(host):
    host.execute("insert into wishes values ('A', 1), ('B', 2)")
    error = refusal(host, "declare w varchar;\nbegin\n  select wanted into :w from wishes;\nend")
    message = "A SELECT INTO statement expects exactly 1 returned row, but got 2."
    assert error.message == f"Uncaught exception of type 'STATEMENT_ERROR' on line 3 at position 2 : {message}"


def test_an_into_of_an_insert_or_of_a_sub_select_stays_where_it_is(host):
    run_block("begin insert into wishes with x as (select 'A' as a) select a, 1 from x; end", {}, host)
    assert host.one("select wanted from wishes") == "A"


def test_call_into_takes_what_the_procedure_returned(host):
    host.procedures["twice"] = (("N",), "begin return n * 2; end")
    assert returned(host, "declare x number := 4; y number; begin call twice(:x) into :y; return y; end") == 8


def test_the_row_counts_are_those_of_the_last_statement_if_it_was_a_dml(host):
    counts = "return coalesce(sqlrowcount, -1) || ' ' || sqlfound || ' ' || sqlnotfound;"
    assert returned(host, f"begin insert into wishes values ('A', 1), ('B', 2); {counts} end") == "2 true false"
    assert returned(host, f"begin update wishes set total = 1 where wanted = 'Z'; {counts} end") == "0 false true"
    assert returned(host, "begin delete from wishes; select 1; return sqlrowcount; end") is None


def test_begin_with_a_semicolon_or_transaction_is_a_statement_inside_a_block(host):
    text = """
        begin
          begin; insert into wishes values ('A', 1); rollback;
          begin transaction; insert into wishes values ('B', 1); commit;
          begin return 'in'; end;
        end
    """
    assert returned(host, text) == "in"
    assert host.one("select listagg(wanted) from wishes") == "B"


def test_a_case_expression_in_a_statement_and_comments_anywhere_are_understood(host):
    text = """
        -- a remark; with a semicolon
        declare /* begin */ x number := 1; -- end
        begin
          insert into wishes select case when :x = 1 then 'one' else 'other' end, /* ; */ 1; // if (x)
          x := case when x = 1 then 5 else 6 end;  -- a remark
          if (case x when 5 then true else false end) then return 'five'; end if;
        end;
        -- done
    """
    assert returned(host, text) == "five"
    assert host.one("select wanted from wishes") == "one"


# -- conditions and loops


def test_if_takes_the_first_branch_that_is_true(host):
    text = "begin if (n > 10) then return 'big'; elseif (n > 5) then return 'middle'; else return 'small'; end if; end"
    assert [returned(host, text, N=n) for n in (11, 6, 1, None)] == ["big", "middle", "small", "small"]


def test_a_condition_without_parentheses_is_refused(host):
    message = "SQL compilation error:\nsyntax error line 1 at position 9 unexpected 'n'."
    assert refusal(host, "begin if n > 1 then return 1; end if; end", N=1).message == message


def test_a_case_statement_chooses_by_value_or_by_condition(host):
    by_value = "begin case (kind) when 'a' then return 1; when upper('b') then return 2; else return 3; end case; end"
    assert [returned(host, by_value, KIND=kind) for kind in ("a", "B", "c")] == [1, 2, 3]
    by_condition = "begin case when n > 1 then return 'many'; when n = 1 then return 'one'; end; return 'none'; end"
    assert [returned(host, by_condition, N=n) for n in (2, 1, 0)] == ["many", "one", "none"]


def test_a_for_loop_counts_up_and_down_and_leaves_an_outer_variable_alone(host):
    assert (
        returned(host, "begin let i := 'x'; let s := ''; for i in 1 to 3 do s := s || i; end for; return s || i; end")
        == "123x"
    )
    assert (
        returned(host, "begin let s := ''; for i in reverse 1 to 3 loop s := s || i; end loop; return s; end") == "321"
    )
    assert returned(host, "begin let n := 0; for i in 3 to 1 do n := 1; end for; return n; end") == 0


def test_while_repeat_and_loop_go_on_until_their_condition_or_a_break(host):
    assert returned(host, "begin let n := 0; while (n < 3) do n := n + 1; end while; return n; end") == 3
    assert returned(host, "begin let n := 0; repeat n := n + 1; until (n >= 5) end repeat; return n; end") == 5
    leaving = "if (n = 4) then break; end if;"
    assert returned(host, f"begin let n := 0; loop n := n + 1; {leaving} end loop; return n; end") == 4
    skipping = "if (i = 2) then continue; end if;"
    assert (
        returned(host, f"begin let s := ''; for i in 1 to 4 do {skipping} s := s || i; end for; return s; end") == "134"
    )


def test_break_with_a_label_leaves_the_outer_loop(host):
    text = """
        begin
          let n := 0;
          loop loop n := n + 1; if (n = 3) then break outside; end if; end loop inside; end loop outside;
          return n;
        end
    """
    assert returned(host, text) == 3
    assert "unexpected 'break'" in refusal(host, "begin loop break nowhere; end loop somewhere; end").message
    assert "unexpected 'continue'" in refusal(host, "begin continue; end").message


def test_a_counting_loop_asks_the_host_nothing(host):
    host.executed.clear()
    text = "begin let n := 0; while (n < 20000) do n := n + 1; if (n = -1) then break; end if; end while; return n; end"
    started = time.thread_time()  # others may use the processor
    assert returned(host, text) == 20000
    assert time.thread_time() - started < 20
    assert not host.executed


def test_a_cursor_left_by_the_break_of_an_outer_loop_begins_anew(host):
    host.execute("insert into wishes values ('A', 1), ('B', 2)")
    text = """
        declare s varchar := ''; c cursor for select wanted from wishes order by 1;
        begin
          for i in 1 to 2 do for r in c do s := s || r.wanted; continue outside; end for; end for outside;
          return s;
        end
    """
    assert returned(host, text) == "AA"


# -- cursors and resultsets


def test_a_for_loop_walks_over_a_cursor_and_its_row_has_columns(host):
    host.execute("insert into wishes values ('A', 1), ('B', 2)")
    text = """
        declare total number := 0; names varchar := ''; c cursor for select wanted, total from wishes order by wanted;
        begin
          for row in c do total := total + row.total * 10; names := names || row.wanted || row."TOTAL"; end for;
          return names || total;
        end
    """
    assert returned(host, text) == "A1B230"


def test_a_column_of_a_row_must_be_copied_to_a_variable_before_a_statement_uses_it(host):
    text = "declare c cursor for select 1 as a; begin for r in c do {} end for; end"
    assert "unexpected '.'" in refusal(host, text.format("insert into wishes values (:r.a, 1);")).message
    run_block(text.format("let a number := r.a; insert into wishes values ('A', :a);"), {}, host)
    assert host.one("select total from wishes") == 1


def test_a_cursor_is_opened_with_values_fetched_and_closed(host):
    host.execute("insert into wishes values ('A', 1), ('B', 2), ('C', 3)")
    text = """
        declare
          least number := 2; w varchar; t number; s varchar := '';
          c cursor for select wanted, total from wishes where total >= ? order by 1;
        begin
          open c using (least);
          fetch c into w, t; s := s || w || t;
          fetch c into :w, :t; s := s || w || t;
          fetch c into w, t;
          close c;
          return s || coalesce(w, '-');
        end
    """
    assert returned(host, text) == "B2C3-"
    assert (
        "Cursor 'C' is not open."
        in refusal(host, "declare x number; c cursor for select 1; begin fetch c into x; end").message
    )


def test_a_resultset_is_filled_where_it_is_assigned(host):
    host.execute("insert into wishes values ('A', 1)")
    text = """
        declare rs resultset default (select wanted from wishes); n number := 0;
        begin
          insert into wishes values ('B', 2);
          for r in rs do n := n + 1; end for;
          rs := (select wanted from wishes);
          for r in rs do n := n + 10; end for;
          let c cursor for rs;
          for r in c do n := n + 100; end for;
          return n;
        end
    """
    assert returned(host, text) == 221


def test_a_resultset_may_hold_what_a_call_or_a_dynamic_statement_gives(host):
    host.procedures["listing"] = (
        (),
        "begin let rs resultset := (select 1 as A union all select 2); return table(rs); end",
    )
    text = "begin let rs resultset := (call listing()); let n := 0; for r in rs do n := n + r.a; end for; return n; end"
    assert returned(host, text) == 3
    text = """
        declare rs resultset; q varchar := 'select ? + 1 as B'; x number := 4;
        begin rs := (execute immediate :q using (x)); return table(rs); end
    """
    table = run_block(text, {}, host).table
    assert (table.columns, table.rows) == (["B"], [(5,)])


def test_return_table_gives_the_rows_of_a_resultset_a_query_or_an_open_cursor(host):
    assert run_block("begin let rs resultset := (select 1 as A); return table(rs); end", {}, host).table.rows == [(1,)]
    assert run_block("begin return table(select 2 as A); end", {}, host).table.rows == [(2,)]
    text = "declare c cursor for select 3 as A; begin open c; return table(resultset_from_cursor(c)); end"
    assert run_block(text, {}, host).table.rows == [(3,)]


# -- dynamic SQL


def test_execute_immediate_takes_a_text_a_variable_or_a_dollar_text(host):
    text = """
        declare q varchar := 'insert into wishes values (?, ?);'; w varchar := 'what?'; t number := 9;
        begin
          execute immediate :q using (w, :t);
          execute immediate 'insert into wishes values (''it''''s'', 1)';
          execute immediate $$insert into wishes values ('B', 2)$$;
          execute immediate q using (w, t);
          return sqlrowcount;
        end
    """
    assert returned(host, text) == 1
    assert host.execute("select wanted, total from wishes order by total").rows == [
        ("it's", 1),
        ("B", 2),
        ("what?", 9),
        ("what?", 9),
    ]


def test_execute_immediate_runs_a_block_with_names_of_its_own(host):
    text = """
        declare rs resultset; x number := 1;
        begin rs := (execute immediate 'declare x number := 2; begin return x; end;'); return table(rs); end
    """
    assert run_block(text, {}, host).table.rows == [(2,)]


def test_execute_immediate_refuses_two_statements_and_a_missing_value(host):
    assert refusal(host, "begin execute immediate 'select 1; select 2'; end").errno == 6
    assert "Bind variable ? not set." in refusal(host, "begin execute immediate 'select ?'; end").message
    assert "unexpected" in refusal(host, "begin execute immediate 1; end").message


def test_a_semicolon_too_many_is_taken(host):
    assert returned(host, "begin let x := 1;; if (x = 1) then x := 2; ; end if;\n; return x; end;") == 2


def test_execute_immediate_takes_an_expression(host):
    text = """
        declare rs resultset; n number := 0;
        begin
            execute immediate 'insert into ' || lower('WISHES') || ' values (''N'', ?)' using (n);
            execute immediate ('insert into wishes values (''M'', 1)');
            rs := (execute immediate x || ' from wishes where wanted in (''M'', ''N'')');
            for r in rs do n := r.c; end for;
            return n;
        end
    """
    assert returned(host, text, X="select count(*) as c") == 2


def test_what_only_begins_like_a_scripting_statement_goes_to_the_host(host):
    refusal(host, "begin execute task pipeline.t; end")
    assert host.executed[-1] == "execute task pipeline.t"
    refusal(host, "begin execute immediate from './setup/a.sql'; end")
    assert host.executed[-1] == "execute immediate from './setup/a.sql'"


def test_a_question_mark_outside_dynamic_sql_is_refused(host):
    assert "Unexpected unnamed bind" in refusal(host, "begin select ?; end").message


# -- exceptions


def test_an_uncaught_error_tells_its_kind_its_line_and_its_position(host):
    error = refusal(host, "begin\n    insert into nowhere values (1);\nend")
    assert (error.errno, error.sqlstate) == (2003, "42S02")
    assert error.message.startswith("Uncaught exception of type 'STATEMENT_ERROR' on line 2 at position 4 : SQL comp")
    error = refusal(host, "begin\n  let n int := to_number('a');\nend")
    kind = "Uncaught exception of type 'EXPRESSION_ERROR' on line 2 at position 15"
    assert error.message == f"{kind} : Numeric value 'a' is not recognized"
    error = refusal(host, "declare\n  wrong exception (-20002, 'Too late.');\nbegin\n  raise wrong;\nend")
    assert (error.errno, error.sqlstate) == (-20002, "P0001")
    assert error.message == "Uncaught exception of type 'WRONG' on line 4 at position 2 : Too late."
    error = refusal(host, "declare e exception; begin raise e; end")
    assert error.message == "Uncaught exception of type 'E' on line 1 at position 27"


def test_the_first_handler_that_names_the_exception_runs(host):
    text = """
        declare e1 exception (-20001, 'one'); e2 exception (-20002, 'two');
        begin
          if (n = 1) then raise e1; elseif (n = 2) then raise e2; end if;
          if (n = 3) then select * from nowhere; end if;
          n := to_number('x');
        exception
          when e1 or e2 then return sqlcode || ' ' || sqlerrm || ' ' || sqlstate;
          when statement_error then return 'statement ' || sqlcode;
          when other then return 'other ' || sqlerrm;
        end
    """
    found = [returned(host, text, N=n) for n in (1, 2, 3, 4)]
    assert found == [
        "-20001 one P0001",
        "-20002 two P0001",
        "statement 2003",
        "other Numeric value 'x' is not recognized",
    ]


def test_an_exception_goes_outward_until_a_block_handles_it(host):
    text = """
        declare e exception (-20001, 'inner');
        begin
          begin
            raise e;
          exception when expression_error then return 'wrong';
          end;
        exception when e then
          begin select * from nowhere; exception when other then null; end;
          return 'caught ' || sqlerrm;
        end
    """
    assert returned(host, text) == "caught inner"


def test_raise_alone_throws_the_same_exception_again_after_the_handler_has_worked(host):
    text = """declare e exception (-20001, 'kept');
begin
  raise e;
exception when other then
  insert into wishes values (:sqlerrm, :sqlcode);
  raise;
end"""
    error = refusal(host, text)
    assert (error.errno, error.message) == (-20001, "Uncaught exception of type 'E' on line 3 at position 2 : kept")
    assert host.execute("select * from wishes").rows == [("kept", -20001)]


def test_an_error_of_a_called_procedure_is_a_statement_error_of_the_caller(host):
    host.procedures["failing"] = ((), "declare e exception (-20003, 'deep'); begin raise e; end")
    error = refusal(host, "begin\n  call failing();\nend")
    inner = "Uncaught exception of type 'E' on line 1 at position 44 : deep"
    assert (error.errno, error.message) == (
        -20003,
        f"Uncaught exception of type 'STATEMENT_ERROR' on line 2 at position 2 : {inner}",
    )


def test_a_handler_sees_declared_variables_but_no_let(host):
    assert (
        returned(
            host, "declare x number := 1; begin x := 2; x := to_number('a'); exception when other then return x; end"
        )
        == 2
    )
    assert (
        "invalid identifier 'Y'"
        in refusal(host, "begin let y := 1; select 1; exception when other then return :y; end").message
    )


def test_a_failing_declaration_is_not_for_the_blocks_own_handler(host):
    text = "declare x number := to_number('a'); begin return 1; exception when other then return 2; end"
    assert "Numeric value 'a'" in refusal(host, text).message


def test_a_lost_transaction_stays_lost_in_the_error_that_the_caller_sees(host):
    assert not refusal(host, "begin select to_number('a'); end").transaction_lost
    assert refusal(host, "begin begin transaction; select to_number('a'); commit; end").transaction_lost


def test_no_handler_holds_up_a_cancellation(host):
    endless = "select count(*) from range(1000000) a, range(1000000) b"
    timer = threading.Timer(0.2, host.connection.interrupt)
    timer.start()
    error = refusal(host, f"begin {endless}; exception when other then return 'handled'; end")
    timer.join()
    assert error.errno == 604


def test_a_block_without_a_return_returns_null(host):
    assert returned(host, "begin null; end") is None


# -- refusals


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("begin end", "syntax error line 1 at position 6 unexpected 'end'."),
        ("begin if (true) then end if; end", "position 21 unexpected 'end'."),
        ("begin return 1 end", "unexpected '<EOF>'."),
        ("begin return; end", "unexpected ';'."),
        ("begin loop break; end loop end", "unexpected 'end'."),
        ("begin raise; end", "unexpected ';'."),
        ("begin raise unknown; end", "invalid identifier 'UNKNOWN'"),
        ("begin x := 1; end", "invalid identifier 'X'"),
        ("begin select 1; end; select 2", "unexpected 'select'."),
        ("begin await all; end", "Unsupported feature 'AWAIT in a script'"),
        ("begin let rs resultset := async (select 1); end", "Unsupported feature 'ASYNC'"),
        (
            "declare p procedure() returns int as begin return 1; end; begin null; end",
            "Unsupported feature 'a procedure within",
        ),
        ("begin null; end here", "Unsupported feature 'a label on a block'"),
        ("declare e exception (5, 'x'); begin null; end", "between -20999 and -20000"),
        ("begin for r in (select 1) do null; end for; end", "unexpected '('."),
        ("begin return 'open; end", "never ends"),
    ],
)
def test_what_snowflake_or_this_account_does_not_know_is_refused(host, text, words):
    assert words in refusal(host, text).message


# -- telling and splitting


@pytest.mark.parametrize(
    "text",
    [
        "begin select 1; end",
        "/* c */ declare x int; begin x := 1; end",
        "BEGIN\nLET x := 1; END",
        "begin name := 1; end",
        "begin begin; end",
    ],
)
def test_a_block_is_told(text):
    assert is_block(text)


@pytest.mark.parametrize(
    "text",
    [
        "begin",
        "begin;",
        "begin transaction",
        "begin work;",
        "begin name t1",
        "select 'begin'",
        "put file:///tmp/begin/* @s",
        "create procedure p() as begin return 1; end",
    ],
)
def test_what_only_looks_like_a_block_is_none(text):
    assert not is_block(text)


def test_a_script_is_split_at_its_semicolons_and_keeps_its_line_numbers():
    script = """-- setup; of the app
create schema a;

create table a.t (x varchar default 'a;b', "c;d" int); /* ; */ insert into a.t values ('it''s; ok', 1)
;;
// the end;
select $$one;
two$$
"""
    assert [(statement.line, statement.text) for statement in split(script)] == [
        (2, "create schema a"),
        (4, "create table a.t (x varchar default 'a;b', \"c;d\" int)"),
        (4, "insert into a.t values ('it''s; ok', 1)"),
        (7, "select $$one;\ntwo$$"),
    ]


BLOCKS = [
    "begin\n  create table if not exists t (x int);\n  if (true) then select 1; end if;\nend",
    "declare x int; c cursor for select case 1 when 1 then 2 end; begin x := case when x > 1 then 2 else 3 end; end",
    "begin return case when x > 1 then case x when 1 then 2 end else 3 end; end",
    "begin begin; insert into t values (1); commit; begin null; exception when other then rollback; raise; end; end",
    "begin for i in 1 to 3 loop while (i < 3) do i := i + 1; end while; end loop; end",
    "begin repeat select repeat('x', 3); until (true) end repeat; loop break; end loop outside; end",
    "begin case (x) when 1 then null; else null; end case; case when true then null; end; end",
    "begin let r resultset := (select 1); for x in r do declare y int; begin y := 1; end; end for; end",
    "begin select x as begin_date, coalesce(repeat('a', 2), 'end;') from t; drop table if exists t; end",
    "create or replace procedure a.p(x int) returns int as\nbegin\n  if (x = 1) then return 1; end if;\nend",
    "create procedure a.p() returns int language sql execute as owner as declare x int; begin return x; end",
    "create procedure a.q() returns varchar language sql as $$ begin return 1; end; $$",
    "create task a.t schedule = '5 minutes' as begin call a.p(); select 1; end",
    "begin create procedure p() returns int language sql as begin return 1; end; call p(); end",
    "begin transaction",
    "begin",
]


@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_is_one_statement(block):
    assert [statement.text for statement in split(f"select 1;\n{block};\nselect 2;")] == ["select 1", block, "select 2"]


def test_a_script_that_never_closes_a_quotation_is_refused():
    with pytest.raises(SqlError, match="never ends"):
        split("select 1; select 'open;")


def test_the_body_of_a_procedure_that_a_block_creates_has_names_of_its_own(host):
    procedure = "create procedure plus(x int) returns int language sql as begin let y := 1; return :x + :y; end"
    assert (
        returned(host, f"declare x int := 5; z int; begin {procedure}; call plus(:x + 10) into :z; return z; end") == 16
    )
