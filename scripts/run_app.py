"""What scripts/run does: installs or upgrades the app, fills it with data, shows it, and says what to do next."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ROOT / "scripts"
SNOW = Path(sys.executable).with_name("snow")
LOCAL = "local"

GENERATE = "call {app}.core.generate_retail_data(200, 500, null, null)"  # null: every touch and movement that is due
FIVE_CUSTOMERS = """
    select
        customer_id as id,
        first_name || ' ' || last_name as name,
        customer_segment as segment,
        total_orders as orders,
        total_spent as spent,
        churn_probability::number(3, 2) as churn,
        lifetime_value::number(12, 2) as lifetime_value
    from {app}.gold.dim_customers
    order by customer_id
    limit 5
"""
REVENUE_BY_SEGMENT = """
    select
        customer_segment,
        count(*) as orders,
        avg(final_total)::number(12, 2) as avg_order_value,
        sum(final_total) as revenue
    from {app}.gold.fct_sales
    group by customer_segment
    order by revenue desc
"""

WHAT_NEXT = """\
  # read what was made
  {sql} "select * from {app}.gold.fct_sales limit 10"
  # change what the business is like, and see it in the next batch
  {sql} "update {app}.reference_data.customer_segments set avg_order_value = 200 where segment_name = 'premium'"
  {sql} "call {app}.core.generate_retail_data(20, 50)"
  # what runs, and what waits
  {sql} "call {app}.core.check_pipeline_status()"
"""
WHAT_NEXT_HERE = f"""\
  # once per shell: snow and everything else find the local account
  eval "$(scripts/account env)"
{WHAT_NEXT}\
  # let half an hour pass, and the pipeline makes a batch of its own
  scripts/account clock advance '30 minutes'
  # enough for today; everything is there again after start
  scripts/account stop
"""
WHAT_NEXT_THERE = f"""\
{WHAT_NEXT}\
  # no more batches, no more credits
  {{sql}} "call {{app}}.core.stop_pipeline()"
  # remove it, with every row
  snow app teardown -c {{connection}} --cascade
"""

NUMBERS = (0, 1)  # FIXED and REAL, as the connector numbers the types of columns

console = Console(highlight=False, soft_wrap=True)


class RunFailed(Exception):
    """What went wrong and what to do, for the person at the keyboard."""


def main() -> int:
    arguments = parse_arguments()
    started = time.monotonic()
    try:
        package, application = names()
        if arguments.connection:
            agree_to_costs(arguments.connection, package, application, asked=not arguments.yes)
        else:
            use_local_account()
        connection_name = arguments.connection or LOCAL
        install(connection_name)
        with connected(connection_name) as connection:
            fill_and_show(connection, application)
    except RunFailed as failure:
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"\n[bold red]{escape(str(failure))}[/]")
        return 1
    except KeyboardInterrupt:
        console.print("\nStopped. Every step can be run again: call scripts/run once more.")
        return 130
    console.print(f"\nDone, in {time.monotonic() - started:.0f} s.")
    show_what_next(connection_name, application, is_local=not arguments.connection)
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/run",
        description="Installs the app (or upgrades it in place, keeping every row), generates a batch of retail "
        "events, carries it to gold, starts the pipeline and shows what now exists.",
    )
    parser.add_argument(
        "--connection", metavar="NAME", help="a Snowflake connection of yours; without it, the local account is used"
    )
    parser.add_argument("--yes", action="store_true", help="with --connection: do not ask whether to go on")
    return parser.parse_args()


def names() -> tuple[str, str]:
    """The package and the application as snowflake.yml names them, or the shell in its place."""
    defaults = yaml.safe_load((ROOT / "snowflake.yml").read_text())["env"]
    package, application = (f"RETAIL_STREAM_{name}" for name in ("PACKAGE", "APPLICATION"))
    return os.environ.get(package) or defaults[package], os.environ.get(application) or defaults[application]


# where to ---------------------------------------------------------------------------------------------------------


def use_local_account() -> None:
    """Starts the account of this clone if it does not answer, and points this process at it."""
    step("The local account")
    if subprocess.run([sys.executable, "-m", "local_account", "start"], env=account_environment()).returncode:
        raise RunFailed("The local account did not start; the lines above say why. scripts/account status tells more.")
    exports = subprocess.run(
        [sys.executable, "-m", "local_account", "env"],
        env=account_environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    if exports.returncode:
        raise RunFailed("The local account started and does not answer now. Try: scripts/account stop; scripts/run")
    for line in exports.stdout.splitlines():
        match shlex.split(line):
            case ["export", assignment]:
                key, _, value = assignment.partition("=")
                os.environ[key] = os.path.expandvars(value)


def account_environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [str(SCRIPTS), os.environ.get("PYTHONPATH")]))}


def agree_to_costs(name: str, package: str, application: str, *, asked: bool) -> None:
    """Says what a real account will hold afterwards, and what it will cost, before anything is touched."""
    connection = connection_settings(name)
    console.print(
        f"\nConnection [bold]{escape(name)}[/] (account {connection.get('account', '?')}, user "
        f"{connection.get('user', '?')}, role {connection.get('role', 'the default one')}). There, this creates or "
        "changes\n"
        f"  application package  {package}      with the stage app_src.stage and the files of app/ and src/\n"
        f"  application          {application}          with its schemas, tables, procedures and three tasks\n"
        "and it costs credits: your warehouse while it installs and generates, and serverless tasks every 30\n"
        "minutes from then on, until they are stopped. Afterwards:\n"
        f"  stop paying          snow sql -c {name} -q 'call {application}.core.stop_pipeline()'\n"
        f"  remove everything    snow app teardown -c {name} --cascade\n"
    )
    if asked:
        try:
            answer = input("Go on? [y/N] ")
        except EOFError:
            answer = ""
        if answer.strip().lower() not in ("y", "yes"):
            raise RunFailed("Nothing was done. Answer y, or give --yes, to go on.")


def connection_settings(name: str) -> dict[str, Any]:
    from snowflake.connector.config_manager import CONFIG_MANAGER
    from snowflake.connector.errors import Error

    try:
        known = CONFIG_MANAGER["connections"]
    except Error as error:
        raise RunFailed(f"Your Snowflake connections cannot be read: {error}") from None
    if name not in known:
        raise RunFailed(
            f"There is no connection named {name}. Known: {', '.join(known) or 'none'}.\n"
            "Add one with: .venv/bin/snow connection add"
        )
    return known[name]


# the app ----------------------------------------------------------------------------------------------------------


def install(connection_name: str) -> None:
    step("snow app run")
    # Never --force: where an upgrade in place is impossible, it would drop the application and its rows with it.
    command: list[str | Path] = [
        SNOW,
        "app",
        "run",
        "--connection",
        connection_name,
        "--no-interactive",
        "--project",
        ROOT,
    ]
    if subprocess.run(command).returncode:
        raise RunFailed(
            "snow app run failed; the lines above say why. What was installed before is still there.\n"
            f"More detail: {shlex.join(map(str, command[:5]))} --debug"
        )


@contextmanager
def connected(name: str) -> Iterator[Any]:
    # Imported here, because the connector looks for its files at import, and use_local_account says where they are.
    import snowflake.connector
    from snowflake.connector.errors import Error, ProgrammingError

    try:
        with snowflake.connector.connect(connection_name=name) as connection:
            yield connection
    except ProgrammingError as error:
        raise RunFailed(f"The account refused a statement:\n{error.raw_msg or error}") from None
    except Error as error:
        hint = "scripts/account status" if name == LOCAL else f"snow connection test --connection {name}"
        raise RunFailed(f"The account does not answer: {error}\nLook at it with: {hint}") from None


def fill_and_show(connection: Any, app: str) -> None:
    step("A batch of events, carried to gold")
    timed(connection, GENERATE.format(app=app))

    step("What now exists")
    show(connection, "Rows by layer", f"call {app}.core.data_summary()")
    show(connection, "Five customers", FIVE_CUSTOMERS.format(app=app))
    show(connection, "Revenue by segment", REVENUE_BY_SEGMENT.format(app=app))

    step("The pipeline")
    timed(connection, f"call {app}.core.start_pipeline()")


def timed(connection: Any, statement: str) -> None:
    """Runs a call and prints its answer."""
    started = time.monotonic()
    with console.status(statement):
        (answer,) = connection.cursor().execute(statement).fetchone()
    console.print(f"{escape(statement)}\n  {escape(str(answer))} ({time.monotonic() - started:.1f} s)")


def show(connection: Any, title: str, statement: str) -> None:
    cursor = connection.cursor().execute(statement)
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for column in cursor.description:
        is_number = column.type_code in NUMBERS
        table.add_column(column.name.lower(), justify="right" if is_number else "left", no_wrap=True)
    for row in cursor:
        table.add_row(*(escape(text(value)) for value in row))
    console.print(table)


def text(value: Any) -> str:
    if value is None:
        return ""
    return value.isoformat(" ", "seconds") if isinstance(value, datetime) else str(value)


def show_what_next(connection: str, app: str, *, is_local: bool) -> None:
    lines = WHAT_NEXT_HERE if is_local else WHAT_NEXT_THERE
    console.print("\n[bold]What next[/]")
    console.print(escape(lines.format(sql=f"snow sql -c {connection} -q", app=app, connection=connection)))


def step(title: str) -> None:
    console.print(f"\n[bold]{title}[/]")


if __name__ == "__main__":
    sys.exit(main())
