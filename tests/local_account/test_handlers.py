"""Python handlers in their processes: what they are given, what is taken from them, and how they end."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from local_account.errors import SqlError
from local_account.handlers import Handler, Pool, check_packages, stage_imports
from snowflake.connector.errors import ProgrammingError


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    pool = Pool(tmp_path_factory.mktemp("home"), processors=2)
    yield pool
    pool.close()


def function(source: str, handler: str = "F", imports: Path | None = None, packages=("pandas",)) -> Handler:
    return Handler("core.f", imports, textwrap.dedent(source), handler, packages)


ECHO = """
    import pandas as pd

    class F:
        def end_partition(self, frame):
            values = frame["X"]
            yield pd.DataFrame({"text": [f"{values.dtype} {type(values.iloc[0]).__name__} {values.tolist()}"]})

    F.end_partition._sf_vectorized_input = pd.DataFrame
"""


@pytest.mark.parametrize(
    ("type_", "values", "seen"),
    [
        ("number(38,0)", pa.array([4096, None], pa.decimal128(38, 0)), "Int16 int16 [4096, <NA>]"),
        ("int", pa.array([1_048_576], pa.int64()), "Int32 int32 [1048576]"),
        ("number(18,0)", pa.array([8_589_934_592], pa.int64()), "Int64 int64 [8589934592]"),
        ("number(38,0)", pa.array([Decimal(10) ** 20]), "object Decimal [Decimal('100000000000000000000')]"),
        ("number(12,2)", pa.array([Decimal("1.50")]), "object Decimal [Decimal('1.50')]"),
        ("float", pa.array([1.5, None]), "float64 float64 [1.5, nan]"),
        ("varchar", pa.array(["a", None]), "string str ['a', <NA>]"),
        ("boolean", pa.array([True, None]), "boolean bool [True, <NA>]"),
        ("date", pa.array([date(2024, 2, 29)]), "datetime64[ns] Timestamp [Timestamp('2024-02-29 00:00:00')]"),
        ("datetime", pa.array([datetime(2024, 1, 2)]), "datetime64[ns] Timestamp [Timestamp('2024-01-02 00:00:00')]"),
        ("variant", pa.array(['{"a": [1, 2.5, null]}']), "object dict [{'a': [1, 2.5, None]}]"),
    ],
)  # fmt: skip
def test_vectorised_input_has_the_argument_names_and_the_documented_dtypes(
    pool: Pool, type_: str, values: pa.Array, seen: str
) -> None:
    rows = pa.table({"X": values})
    result = pool.call_table_function(function(ECHO), rows, [("X", type_)], [], [("TEXT", "varchar")])
    assert result["TEXT"].to_pylist() == [seen]


RUNNING_TOTAL = """
    import pandas as pd

    class F:
        def end_partition(self, frame):
            total = frame["X"].astype("int64").cumsum()
            for row in range(len(frame)):
                yield total[row : row + 1], [row / 2 if row else float("nan")], [{"total": int(total[row])}]

    F.end_partition._sf_vectorized_input = pd.DataFrame
"""


def test_partitions_keep_their_rows_and_order_for_any_number_of_processes(pool: Pool, tmp_path: Path) -> None:
    rows = pa.table({"SHARD": ["b", "a", None, "b", "a", None], "X": pa.array([1, 2, 3, 4, 5, 6])})
    output = [("TOTAL", "number(38,0)"), ("HALF", "float"), ("DETAIL", "variant")]
    alone = Pool(tmp_path, processors=1)
    try:
        first, second = (
            each.call_table_function(function(RUNNING_TOTAL), rows, [("X", "int")], ["SHARD"], output)
            for each in (pool, alone)
        )
    finally:
        alone.close()
    assert first.equals(second)
    assert first.to_pydict() == {
        "SHARD": ["b", "b", "a", "a", None, None],
        "TOTAL": [1, 5, 2, 7, 3, 9],
        "HALF": [None, 0.5] * 3,
        "DETAIL": [f'{{"total": {total}}}' for total in (1, 5, 2, 7, 3, 9)],
    }
    assert first.schema.field("TOTAL").type == pa.decimal128(38, 0)
    assert pool.call_table_function(function(RUNNING_TOTAL), rows[:0], [("X", "int")], ["SHARD"], output).num_rows == 0


def test_a_row_wise_function_says_which_row_each_of_its_rows_belongs_to(pool: Pool) -> None:
    handler = function("""
        class F:
            def __init__(self):
                self.rows = 0
            def process(self, number, price):
                self.rows += 1
                for _ in range(number):
                    yield f"{number!r} {price!r}",
            def end_partition(self):
                yield f"{self.rows} rows",
    """)
    rows = pa.table({"P": [1, 2, 1], "N": [2, 0, 1], "PRICE": [Decimal("1.50"), None, None]})
    result = pool.call_table_function(
        handler, rows, [("N", "int"), ("PRICE", "number(9,2)")], ["P"], [("TEXT", "varchar")]
    )
    assert result.to_pydict() == {
        "P": [1, 1, 1, 1, 2],
        "TEXT": ["2 Decimal('1.50')"] * 2 + ["1 None", "2 rows", "1 rows"],
        "METADATA$ROW": [0, 0, 2, None, None],
    }


ANY = pa.table({"X": [1]})
FAILING = """
    import os, sys, time
    import pandas as pd

    class F:
        def end_partition(self, frame):
            {body}

    F.end_partition._sf_vectorized_input = pd.DataFrame
"""


def fail(pool: Pool, body: str, **options: float) -> SqlError:
    with pytest.raises(SqlError) as raised:
        handler = function(FAILING.format(body=body))
        pool.call_table_function(handler, ANY, [("X", "int")], [], [("N", "int"), ("T", "varchar")], **options)
    return raised.value


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return pd.DataFrame({'n': [1]})", "wrong tuple size for returned value, expected 2, got 1"),
        ("return ['a'], ['b']", "column N is declared FIXED, but the handler gave string"),
        ("return [1.5], ['b']", "truncated"),
        ("sys.exit(3)", "SystemExit: 3"),
        ("os._exit(3)", "The process ended unexpectedly"),
    ],
)
def test_what_a_function_does_wrong_is_a_numbered_error(pool: Pool, body: str, said: str) -> None:
    error = fail(pool, body)
    assert (error.errno, error.sqlstate) == (100_357, "P0000")
    assert said in error.message


def test_an_exception_comes_with_the_handlers_own_traceback(pool: Pool) -> None:
    assert fail(pool, "raise ValueError('no such shard')").message == (
        "Python Interpreter Error:\n"
        "Traceback (most recent call last):\n"
        '  File "_udf_code.py", line 7, in end_partition\n'
        "    raise ValueError('no such shard')\n"
        "ValueError: no such shard\n"
        " in function core.f with handler F"
    )


def test_a_function_that_takes_too_long_is_stopped(pool: Pool) -> None:
    began = time.monotonic()
    assert fail(pool, "time.sleep(600)", seconds=0.5).errno == 630
    assert time.monotonic() - began < 120


def test_what_a_handler_prints_and_logs_is_collected_and_harms_nothing(pool: Pool) -> None:
    entries: list[dict] = []
    body = """
            import logging
            print("first", "line\\nsecond", end="")
            os.write(1, b"noise")
            logging.getLogger("app").info("made %s rows", 3)
            logging.log(45, "a level of its own")
            return [1], [sys.stdin.read()]"""
    handler = function(FAILING.format(body=body.lstrip()))
    pool.call_table_function(handler, ANY, [("X", "int")], [], [("N", "int"), ("T", "varchar")], log=entries.append)
    told = [(entry["source"], entry["level"], entry["logger"], entry["message"]) for entry in entries]
    assert sorted(told) == [
        ("log", "ERROR", "root", "a level of its own"),
        ("log", "INFO", "app", "made 3 rows"),
        ("stdout", "INFO", "", "first line"),
        ("stdout", "INFO", "", "second"),
    ]


def test_imports_lie_flat_in_a_directory_of_their_own(pool: Pool, tmp_path: Path) -> None:
    for name, text in {
        "a/shop.py": "import goods\ndef main(frame): ...\n",
        "b/goods.py": "",
        "c/words.txt": "ok",
    }.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    paths = [*tmp_path.glob("*/*")]
    staged = stage_imports(paths, tmp_path / "imports")
    assert stage_imports(paths, tmp_path / "imports") == staged
    handler = function(
        """
        import os, sys
        import shop
        class F:
            def process(self):
                folder = sys._xoptions["snowflake_import_directory"]
                yield " ".join(sorted(os.listdir(folder))), open(folder + "words.txt").read()
            """,
        imports=staged,
    )
    result = pool.call_table_function(handler, ANY, [], [], [("FILES", "varchar"), ("WORDS", "varchar")])
    assert result["FILES"].to_pylist() == ["goods.py shop.py words.txt"]
    assert result["WORDS"].to_pylist() == ["ok"]
    (tmp_path / "b/shop.py").write_text("")
    with pytest.raises(SqlError, match=r"two of the imports are named 'shop\.py'"):
        stage_imports(tmp_path.glob("*/*.py"), tmp_path / "imports")


def test_nothing_of_a_call_is_left_for_the_next(pool: Pool) -> None:
    body = "import json; json.seen = getattr(json, 'seen', 0) + 1; return [json.seen], [os.environ['HOME']]"
    handler = function(FAILING.format(body=body))
    for _ in range(2):
        result = pool.call_table_function(handler, ANY, [("X", "int")], [], [("N", "int"), ("T", "varchar")])
        assert result.to_pydict() == {"N": [1], "T": [str(pool.home)]}


IMPORTING = """
    import json
    from shop import {module}
    class F:
        def process(self): yield {module}.__name__,
"""


def test_a_handler_imports_its_packages_with_theirs_and_no_others(pool: Pool, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text("import pandas, numpy")
    for module, packages in (("pandas", ("pandas==2.3.3",)), ("numpy", ("Pandas",))):
        handler = function(IMPORTING.format(module=module), "F", tmp_path, packages)
        assert pool.call_table_function(handler, ANY, [], [], [("T", "varchar")])["T"].to_pylist() == [module]
    for module, packages in (("pandas", ("numpy",)), ("pandas", ())):
        handler = function(IMPORTING.format(module=module), "F", tmp_path, packages)
        with pytest.raises(SqlError, match=f"ModuleNotFoundError: No module named '{module}' .PACKAGES names"):
            pool.call_table_function(handler, ANY, [], [], [("T", "varchar")])


@pytest.mark.parametrize(
    ("statement", "packages", "missing"),
    [
        ("import importlib; importlib.import_module('numpy')", (), "numpy"),
        ("__import__('numpy')", (), "numpy"),
        ("from snowflake import core", ("snowflake-snowpark-python",), "snowflake.core"),
        ("import snowflake.snowpark", ("snowflake-connector-python",), "snowflake.snowpark"),
        ("import importlib, snowflake.snowpark; importlib.import_module('json')", ("snowflake-snowpark-python",), None),
        ("from snowflake import connector", ("snowflake-snowpark-python",), None),
    ],
)
def test_no_way_of_importing_finds_more(pool: Pool, statement: str, packages: tuple, missing: str | None) -> None:
    source = f"class F:\n    def process(self):\n        {statement}\n        yield 'found',"
    if missing:
        with pytest.raises(SqlError, match=f"No module named '{missing}'"):
            pool.call_table_function(function(source, packages=packages), ANY, [], [], [("T", "varchar")])
    else:
        found = pool.call_table_function(function(source, packages=packages), ANY, [], [], [("T", "varchar")])
        assert found["T"].to_pylist() == ["found"]


def test_packages_that_a_handler_could_not_import_are_refused_by_name() -> None:
    check_packages(["snowflake-snowpark-python", "numpy==2.4.6", "Pandas"], procedure=True)
    for packages, said in ((["numpy", "faker"], "faker"), (["numpy>=1"], "numpy>=1"), (["numpy"], "snowpark")):
        with pytest.raises(SqlError, match=said) as raised:
            check_packages(packages, procedure=True)
        assert raised.value.errno == 391_525


def test_processes_end_when_the_account_is_killed(tmp_path: Path) -> None:
    """Also one that never comes back from its loop."""
    script = f"""
        from pathlib import Path
        import pyarrow as pa
        from local_account.handlers import Handler, Pool
        endless = "import os\\nclass F:\\n def process(self):\\n  open('pid', 'w').write(str(os.getpid()))\\n  while True: pass"
        Pool(Path({str(tmp_path)!r})).call_table_function(Handler("f", None, endless, "F"), pa.table({{"X": [1]}}), [], [], [])
    """
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    account = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], env=environment)
    pid = wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    account.send_signal(signal.SIGKILL)
    account.wait()
    wait_for(lambda: not is_running(int(pid)))


def is_running(pid: int) -> bool:
    """Not one that has ended and that nobody has asked after since: where process 1 asks after nobody, it stays so."""
    try:
        return Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_for(condition: object, seconds: float = 120) -> str:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
    return found


def create(name: str, returns: str, body: str, arguments: str = "") -> str:
    return (
        f"create or replace procedure {name}({arguments}) returns {returns} language python runtime_version = '3.11' "
        f"packages = ('snowflake-snowpark-python', 'pandas') handler = 'main' as $${textwrap.dedent(body)}$$"
    )


@pytest.fixture
def cursor(account: object) -> Iterator[object]:
    with account.connect() as connection, connection.cursor() as cursor:
        cursor.execute("create or replace database handlers")
        cursor.execute("use schema handlers.public")
        yield cursor
        cursor.execute("drop database handlers")


def test_a_procedure_is_given_python_values(cursor: object) -> None:
    types = ["number", "number(9,2)", "float", "varchar", "boolean", "date", "timestamp_ntz", "variant", "varchar"]
    arguments = ", ".join(f"a{place} {type_}" for place, type_ in enumerate(types))
    cursor.execute(create("told", "varchar", "def main(session, *given): return repr(given)", arguments))
    cursor.execute(
        "call told(1, 1.5, 0.5, 'a', true, '2024-01-02'::date, '2024-01-02 03:04:05'::timestamp_ntz, "
        """parse_json('{"a": [1]}'), null)"""
    )
    assert cursor.fetchone() == (
        "(1, Decimal('1.50'), 0.5, 'a', True, datetime.date(2024, 1, 2), datetime.datetime(2024, 1, 2, 3, 4, 5), "
        "{'a': [1]}, None)",
    )


def test_a_procedure_that_names_no_pandas_fetches_no_frame(cursor: object) -> None:
    body = "def main(session): return len(session.sql('select 1 as n').to_pandas())"
    cursor.execute(create("counted", "int", body))
    assert cursor.execute("call counted()").fetchone() == (1,)
    cursor.execute(create("counted", "int", body).replace(", 'pandas'", ""))
    with pytest.raises(ProgrammingError, match="'pandas' is not installed"):
        cursor.execute("call counted()")


def test_a_procedure_works_in_its_callers_transaction_and_cannot_end_the_session(cursor: object) -> None:
    cursor.execute("create table seen (i int)")
    body = """
        def main(session):
            before = session.table("seen").count()
            session.sql("insert into seen values (?)", params=[2]).collect()
            with session:
                session.close()
            return before + session.sql("select count(*) from seen").collect()[0][0]
    """
    cursor.execute(create("add_one", "int", body))
    cursor.execute("begin")
    cursor.execute("insert into seen values (1)")
    assert cursor.execute("call add_one()").fetchone() == (3,)
    cursor.execute("rollback")
    assert cursor.execute("select count(*) from seen").fetchone() == (0,)


@pytest.mark.parametrize(
    "made",
    ["subprocess.run(['true'])", "os.fork()", "os.system('true')", "multiprocessing.Process(target=len).start()"],
)
def test_a_procedure_makes_no_processes(cursor: object, made: str) -> None:
    """PY-20"""
    cursor.execute(create("forks", "int", f"import {made.split('.')[0]}\ndef main(session): return bool({made})"))
    with pytest.raises(ProgrammingError, match="creates no processes"):
        cursor.execute("call forks()")


@pytest.mark.parametrize(
    "given",
    [
        "session.sql('select 1 as a, 2.50::number(9,2) as b, null::varchar as c')",
        "pandas.DataFrame({'a': [1], 'b': [Decimal('2.50')], 'c': [None]})",
    ],
)
def test_a_procedure_returns_the_rows_of_its_data_frame(cursor: object, given: str) -> None:
    body = f"import pandas\nfrom decimal import Decimal\ndef main(session): return {given}"
    cursor.execute(create("rows_of", "table(a int, b number(9,2), c varchar)", body))
    assert cursor.execute("call rows_of()").fetchall() == [(1, Decimal("2.50"), None)]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("session.sql('select 1 as n').collect()", "[Row(N=1)]"),
        ("{'a': None, 'b': True, 'c': [1.0]}", "{'a': None, 'b': True, 'c': [1.0]}"),
        ("datetime.date(2020, 1, 2)", "2020-01-02"),
        ("None", None),
    ],
)
def test_what_a_procedure_returns_as_varchar_is_its_str(cursor: object, given: str, text: str | None) -> None:
    cursor.execute(create("told", "varchar", f"import datetime\ndef main(session): return {given}"))
    assert cursor.execute("call told()").fetchone() == (text,)


def test_a_data_frame_is_a_table_or_a_text(cursor: object) -> None:
    cursor.execute(create("told", "varchar", "def main(session): return session.sql('select 1')"))
    assert cursor.execute("call told()").fetchone()[0].startswith("<snowflake.snowpark.dataframe.DataFrame object")


@pytest.mark.parametrize(
    ("returns", "given"),
    [
        ("date", "5"),
        ("timestamp_ntz", "5"),
        ("time", "5"),
        ("array", "{'a': 1}"),
        ("object", "[1]"),
        ("int", "session.sql('select 1')"),
    ],
)
def test_what_a_procedure_returns_is_of_the_declared_kind(cursor: object, returns: str, given: str) -> None:
    cursor.execute(create("odd", returns, f"def main(session): return {given}"))
    with pytest.raises(ProgrammingError, match=r"TypeError: .*(but the handler gave|no SQL counterpart)") as raised:
        cursor.execute("call odd()")
    assert raised.value.errno == 100_357


def test_numbers_of_38_digits_go_through_a_procedure(cursor: object) -> None:
    nines = 10**38 - 1
    cursor.execute(create("same", "number(38, 0)", "def main(session, n): return n", "n number(38, 0)"))
    assert cursor.execute(f"call same({nines})").fetchone() == (nines,)
    cursor.execute(create("same", "number(38, 10)", "def main(session, n): return n", "n number(38, 10)"))
    assert cursor.execute("call same(1234567890123456789.1234567891)").fetchone() == (
        Decimal("1234567890123456789.1234567891"),
    )


def test_a_procedures_exception_is_its_callers_error(cursor: object) -> None:
    cursor.execute(create("fails", "int", "def main(session): return 1 // 0"))
    with pytest.raises(ProgrammingError, match=r"ZeroDivisionError.*\n in function FAILS with handler main") as raised:
        cursor.execute("call fails()")
    assert (raised.value.errno, raised.value.sqlstate) == (100_357, "P0000")
