"""scripts/account: start, stop and ask the local account; move its clock."""

from __future__ import annotations

import json
import os
import re
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Annotated, Any

import typer

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"  # loopback, always: whoever reaches the port is ACCOUNTADMIN
PORT = 8085
START_SECONDS = 60
PORT_SECONDS = 10  # an account that was killed a moment ago holds its port until it has quite ended
STOP_SECONDS = 30
LEAST_DISK = 200_000_000  # bytes

cli = typer.Typer(
    help="A Snowflake account in a process, for development: no cloud, no Docker, no token.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
Data = Annotated[
    Path,
    typer.Option("--data", help="Where the account's state lives.", envvar="LOCAL_ACCOUNT_DATA", resolve_path=True),
]
DEFAULT_DATA = ROOT / ".account"


@cli.command()
def start(
    port: Annotated[int | None, typer.Option(help=f"Port on 127.0.0.1 (the one used before, or {PORT}).")] = None,
    data: Data = DEFAULT_DATA,
    foreground: Annotated[bool, typer.Option(help="Stay in this terminal; Ctrl-C stops it.")] = False,
) -> None:
    """Starts the account and returns when it answers. State from before is there again."""
    state = _read(data)
    if running := _ping(state):
        if port in (None, state["port"]):
            typer.echo(f"The account is running already on port {state['port']} (data: {data}).")
            return
        _fail(
            f"The account of {data} is running on port {state['port']}.",
            "Stop it first (scripts/account stop), or give another --data.",
        )
    del running
    port = port or state.get("port") or PORT
    _require_disk(data)
    _require_port(port, PORT_SECONDS if port == state.get("port") else 0.0)
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    state = {"port": port, "secret": secrets.token_hex(16), "pid": None}
    _write(data / "account.json", json.dumps(state))
    _write_connection(data, port)
    command = [sys.executable, "-m", "local_account", "serve", "--data", str(data)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts"), "TZ": "UTC"}
    if foreground:
        os.execve(sys.executable, command, environment)
    with (data / "account.log").open("ab") as log:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=data
        )
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if _ping(_read(data)):
            typer.echo(f"The account answers on http://{HOST}:{port} (data: {data}).")
            typer.echo('Let clients find it:  eval "$(scripts/account env)"')
            return
        if process.poll() is not None:
            _fail(
                f"The account ended while it started:\n{_tail(data / 'account.log')}",
                f"The whole log: {data / 'account.log'}; a fresh start: scripts/account reset.",
            )
        time.sleep(0.1)
    process.terminate()
    _fail(f"The account did not answer within {START_SECONDS} seconds.", f"See {data / 'account.log'}.")


@cli.command(hidden=True)
def serve(data: Data = DEFAULT_DATA) -> None:
    """The account's process itself."""
    import faulthandler

    import uvicorn

    from local_account.account import Account
    from local_account.server import Server

    faulthandler.register(signal.SIGUSR1)  # kill -USR1: where every thread stands, in the log
    state = _read(data)
    account = Account(data.resolve(), HOST, state["port"])
    _write(data / "account.json", json.dumps({**state, "pid": os.getpid()}))
    uvicorn.run(
        Server(account, state["secret"]).application(),
        host=HOST,
        port=state["port"],
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=3,
    )


@cli.command(hidden=True)
def statements() -> None:
    """The statements, functions and parameters that the account answers, for its README."""
    from local_account import databases, information_schema, system
    from local_account import statements as routes

    for pattern, _, _ in routes.ROUTES:
        typer.echo(re.sub(r"\{(\w+)(?::\w+)?\}", r"<\1>", pattern))
    typer.echo(
        "SELECT, WITH, INSERT, UPDATE, DELETE, MERGE, TRUNCATE; CREATE, ALTER, DROP, COMMENT ON of TABLE and VIEW; scripting blocks"
    )
    typer.echo(f"INFORMATION_SCHEMA: {', '.join(sorted(information_schema._VIEWS))}, TASK_HISTORY(), QUERY_HISTORY()")
    typer.echo(f"system functions: {', '.join(sorted(system.FUNCTIONS))}")
    typer.echo(f"session parameters: {', '.join(sorted(databases.SESSION_PARAMETERS))}")


@cli.command()
def stop(data: Data = DEFAULT_DATA) -> None:
    """Stops the account; its state stays on disk."""
    state = _read(data)
    if not _alive(state.get("pid")):
        typer.echo("The account is not running.")
        return
    os.kill(state["pid"], signal.SIGTERM)
    until = time.monotonic() + STOP_SECONDS
    while _alive(state["pid"]):
        if time.monotonic() > until:
            os.kill(state["pid"], signal.SIGKILL)  # what is committed is on disk: a kill loses nothing
            break
        time.sleep(0.05)
    typer.echo("The account has stopped; its state stays.")


@cli.command()
def status(data: Data = DEFAULT_DATA) -> None:
    """Says whether the account runs, where, and what time it is there. Exit code 1 when it does not run."""
    state = _read(data)
    if answer := _ping(state):
        typer.echo(
            f"running on http://{HOST}:{state['port']} (pid {state['pid']}), data: {data}\nthe account's clock: {answer['now']}, sessions: {answer['sessions']}"
        )
        return
    typer.echo(f"not running (data: {data}). Start it: scripts/account start")
    raise typer.Exit(1)


@cli.command()
def env(data: Data = DEFAULT_DATA) -> None:
    """Prints the exports after which snow, the connector and Snowpark find the account as connection 'local'."""
    if not (data / "snowflake" / "connections.toml").exists():
        _fail("The account has never been started here.", "scripts/account start")
    exports = {
        "SNOWFLAKE_HOME": str(data / "snowflake"),
        "SNOWFLAKE_DEFAULT_CONNECTION_NAME": "local",
        "LOCAL_ACCOUNT_DATA": str(data),  # so that scripts/account means this account, too
        "SNOWFLAKE_DISABLE_PLATFORM_DETECTION": "true",  # or the connector asks the clouds' metadata addresses
        "NO_PROXY": ",".join(dict.fromkeys([HOST, *filter(None, os.environ.get("NO_PROXY", "").split(","))])),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}"
        + os.environ.get("PATH", "").replace(f"{Path(sys.executable).parent}{os.pathsep}", ""),
    }
    for name, value in exports.items():
        typer.echo(f"export {name}={shlex.quote(value)}")


@cli.command()
def reset(data: Data = DEFAULT_DATA, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Stops the account and deletes all that it holds."""
    if not (data / "account.json").exists():
        typer.echo(f"There is no account in {data}.")
        return
    if not yes and not typer.confirm(f"Delete everything in {data}?"):
        raise typer.Exit(1)
    stop(data)
    shutil.rmtree(data)
    typer.echo("The account is gone; the next start makes a new one.")


@cli.command()
def clock(
    action: Annotated[str | None, typer.Argument(help="advance | set; nothing shows the time.")] = None,
    value: Annotated[str | None, typer.Argument(help="'30 minutes', or '2026-03-01 10:00:00' (UTC).")] = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Shows or moves the account's clock. 'advance' runs every task that falls due on the way; 'set' runs none."""
    state = _read(data)
    if not _ping(state):
        _fail("The account is not running.", "scripts/account start")
    if action not in (None, "advance", "set") or (action and not value):
        _fail(
            f"'{action} {value or ''}' is not known.",
            "scripts/account clock advance '30 minutes'  or  scripts/account clock set '2026-03-01 10:00:00'",
        )
    answer = _ask(state, "/account/clock", {action: value} if action else {}, timeout=86_400)
    if not answer["success"]:
        _fail(answer["message"], "scripts/account clock --help")
    runs = f"; {answer['data']['runs']} task graph run(s) on the way" if action == "advance" else ""
    typer.echo(f"{answer['data']['now']}{runs}")


@cli.command()
def withhold(
    privileges: Annotated[
        list[str] | None, typer.Argument(help="Account privileges, like 'EXECUTE TASK'; none: nothing is withheld.")
    ] = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Withholds account privileges from every application, whatever it was granted, until it is called again."""
    state = _read(data)
    if not _ping(state):
        _fail("The account is not running.", "scripts/account start")
    answer = _ask(state, "/account/withhold", {"privileges": privileges or []})
    if not answer["success"]:
        _fail(answer["message"], "scripts/account withhold 'EXECUTE TASK' 'EXECUTE MANAGED TASK'")
    typer.echo(f"Withheld from every application: {', '.join(answer['data']) or 'nothing'}.")


@cli.command()
def streamlit(
    name: Annotated[str, typer.Argument(help="The Streamlit object: database.schema.name.")],
    role: Annotated[str | None, typer.Option(help="Who looks at it; the role needs USAGE on it.")] = None,
    port: Annotated[int, typer.Option(help=f"Port of the page on {HOST}.")] = 8501,
    headless: Annotated[bool, typer.Option(help="Do not open a browser.")] = False,
    data: Data = DEFAULT_DATA,
) -> None:
    """Serves a Streamlit object with the real Streamlit, in this process, until Ctrl-C."""
    state = _read(data)
    if not _ping(state):
        _fail("The account is not running.", "scripts/account start")
    answer = _ask(state, "/account/streamlit", {"name": name, "role": role})
    if not answer["success"]:
        _fail(answer["message"], "show streamlits  lists what there is; the role needs USAGE on it and on its schema.")
    _require_port(port)
    from local_account import page

    page.serve({"host": HOST, "port": state["port"]}, HOST, port, headless, **answer["data"])


# ------------------------------------------------------------------------------------------------------------------


def _read(data: Path) -> dict[str, Any]:
    try:
        return json.loads((data / "account.json").read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}


def _write(path: Path, text: str) -> None:
    """A file that nobody else may read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    growing = path.with_suffix(".new")
    growing.touch(mode=0o600)
    growing.write_text(text)
    growing.rename(path)


def _write_connection(data: Path, port: int) -> None:
    home = data / "snowflake"
    connection = {
        "account": "local",
        "user": "LOCAL",
        "password": "local",
        "host": HOST,
        "port": port,
        "protocol": "http",
        "role": "ACCOUNTADMIN",
        "warehouse": "LOCAL_WH",
    }
    lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in connection.items())
    _write(home / "connections.toml", f"[local]\n{lines}\n")
    _write(
        home / "config.toml",
        'default_connection_name = "local"\n\n[cli]\nignore_new_version_warning = true\nair_gapped = true\n\n[cli.logs]\nsave_logs = false\n\n[cli.features]\n',
    )


def _ask(state: dict[str, Any], path: str, body: dict[str, Any] | None = None, timeout: float = 5) -> dict[str, Any]:
    request = urllib.request.Request(
        f"http://{HOST}:{state['port']}{path}",
        headers={"X-Account-Secret": state["secret"], "Content-Type": "application/json"},
    )
    if body is not None:
        request.data = json.dumps(body).encode()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy stands before loopback
    with opener.open(request, timeout=timeout) as answer:
        return json.loads(answer.read())


def _ping(state: dict[str, Any]) -> dict[str, Any] | None:
    """What the account says of itself, if the one of this data folder answers."""
    if not _alive(state.get("pid")):
        return None
    try:
        return _ask(state, "/account/ping")["data"]
    except (OSError, ValueError, KeyError, urllib.error.URLError):
        return None


def _alive(pid: int | None) -> bool:
    if not pid:
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    try:  # a process that has ended but was not yet waited for is not alive
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, IndexError):
        return not Path("/proc").is_dir()


def _require_port(port: int, patience: float = 0.0) -> None:
    """Ends the command if the port is not free within so many seconds."""
    until = time.monotonic() + patience
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        while True:
            try:
                return probe.bind((HOST, port))
            except OSError as error:
                if time.monotonic() > until:
                    _fail(
                        f"Port {port} cannot be used: {error.strerror} (another program has it).",
                        f"Choose another: scripts/account start --port {port + 1}",
                    )
            time.sleep(0.1)


def _require_disk(data: Path) -> None:
    there = next(folder for folder in (data, *data.absolute().parents) if folder.exists())
    free = shutil.disk_usage(there).free
    if free < LEAST_DISK:
        _fail(
            f"Only {free // 1_000_000} MB of disk are free at {there}; the account needs {LEAST_DISK // 1_000_000} MB.",
            "Free some, or give another --data.",
        )


def _tail(path: Path, lines: int = 15) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])


def _fail(what: str, remedy: str) -> None:
    typer.echo(f"{what}\nWhat to do: {remedy}", err=True)
    raise typer.Exit(2)


if __name__ == "__main__":
    cli()
