"""scripts/dashboard: the app's dashboard in a browser, on the local account, as Snowsight shows it on a real one."""

import argparse
import os
import sys

import run_app
from rich.console import Console
from rich.markup import escape

DASHBOARDS = {
    "admin": "dashboard",
    "analyst": "analyst_dashboard",
    "auditor": "auditor_dashboard",
    "truth": "truth_dashboard",
}


def main() -> None:
    arguments = parse_arguments()
    try:
        _, application = run_app.names()
        run_app.use_local_account()
        if arguments.install or not is_installed(application):
            run_app.install(run_app.LOCAL)
    except run_app.RunFailed as failure:
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"\n[bold red]{escape(str(failure))}[/]")
        sys.exit(1)
    page = f"{application}.ui.{DASHBOARDS[arguments.of]}"
    command = [sys.executable, "-m", "local_account", "streamlit", page, "--port", str(arguments.port)]
    command += ["--role", arguments.role] if arguments.role else []
    command += ["--headless"] if arguments.headless else []
    os.execve(sys.executable, command, run_app.account_environment())


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/dashboard",
        description="Starts the local account and installs the app where that is needed, and opens the dashboard until Ctrl-C.",
    )
    parser.add_argument(
        "--of", choices=DASHBOARDS, default="admin", help="whose dashboard: each application role has its own"
    )
    parser.add_argument("--role", help="look at it with this role of the account, which needs the application role")
    parser.add_argument("--port", type=int, default=8501, help="port of the page on 127.0.0.1 (8501)")
    parser.add_argument("--headless", action="store_true", help="do not open a browser")
    parser.add_argument("--install", action="store_true", help="upgrade the app first, to the files of this clone")
    return parser.parse_args()


def is_installed(application: str) -> bool:
    with run_app.connected(run_app.LOCAL) as connection:
        return bool(connection.cursor().execute(f"show applications like '{application}'").fetchall())


if __name__ == "__main__":
    main()
