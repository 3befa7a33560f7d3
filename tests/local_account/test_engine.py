"""Snowflake's statements on DuckDB: the cases, and what cannot be said in a case."""

import datetime
import json
from decimal import Decimal
from pathlib import Path

import pytest
from sqlglot import exp

from local_account import engine
from local_account.errors import SqlError
from local_account.results import python_rows
from local_account.scripting import split

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
