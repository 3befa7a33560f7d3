"""Table functions in queries: their input, their partitions, their place among other relations."""

import pytest
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


@pytest.mark.parametrize(
    "function",
    [
        "create function f() returns int language sql as '1'",
        "create function f() returns int language javascript as 'return 1'",
    ],
)
def test_functions_that_are_not_there_are_refused_by_name(client, function):
    with pytest.raises(SqlError, match="Unsupported feature"):
        client(function)


def test_a_table_can_be_made_from_a_function(total):
    total("create table totals as select t.total from numbers s, table(total(s.n, 1) over (partition by s.part)) t")

    assert [(3,), (10,)] == total("select total from totals order by 1")
