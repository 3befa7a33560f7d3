"""Eight clients at once, random statements, and an account that is killed under them: no hang, no 500, no lost commit.

One minute here; STORM_SECONDS=600 for ten.
"""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import snowflake.connector

ROOT = Path(__file__).resolve().parents[2]
SECONDS = int(os.environ.get("STORM_SECONDS", "60"))
CLIENTS = 8
LONGEST_STATEMENT = 60  # seconds; a statement that takes longer hangs
KILL_EVERY = 20  # seconds
LOGIN_AGAIN = 390104


class Storm:
    def __init__(self, data: Path) -> None:
        self.data = data
        self.end = time.monotonic() + SECONDS
        self.kept: list[set[int]] = [set() for _ in range(CLIENTS)]  # committed, as the client was told
        self.gone: list[set[int]] = [set() for _ in range(CLIENTS)]  # rolled back
        self.faults: list[str] = []
        self.statements = 0

    def manage(self, *arguments: str) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts")}
        command = [sys.executable, "-m", "local_account", *arguments, "--data", str(self.data)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr

    def connect(self) -> snowflake.connector.SnowflakeConnection:
        file = self.data / "snowflake" / "connections.toml"
        return snowflake.connector.connect(
            connection_name="local", connections_file_path=file, login_timeout=5, network_timeout=LONGEST_STATEMENT
        )

    def client(self, number: int) -> None:
        rng = random.Random(number)
        serial = number * 10_000_000
        while time.monotonic() < self.end:
            try:
                with contextlib.closing(self.connect()) as connection:
                    cursor = connection.cursor()
                    cursor.execute("use schema storm.public")
                    while time.monotonic() < self.end:
                        serial += 10
                        self.step(rng, cursor, number, serial)
            except snowflake.connector.errors.ProgrammingError as error:
                if error.errno == LOGIN_AGAIN:  # a session of before the kill
                    continue
                self.faults.append(f"client {number}: {error}")
                return
            except snowflake.connector.errors.Error:
                time.sleep(0.2)  # killed: the account comes back

    def step(self, rng: random.Random, cursor, number: int, serial: int) -> None:
        began = time.monotonic()
        kind = rng.randrange(8)
        if kind == 0:
            cursor.execute(f"insert into landed (client, n) values ({number}, {serial}), ({number}, {serial + 1})")
            self.kept[number] |= {serial, serial + 1}
        elif kind == 1:
            cursor.execute("begin")
            cursor.execute(f"insert into landed (client, n) values ({number}, {serial})")
            cursor.execute("rollback")
            self.gone[number].add(serial)
        elif kind == 2:
            cursor.execute("begin")
            cursor.execute(f"insert into landed (client, n) values ({number}, {serial})")
            cursor.execute(f"insert into landed (client, n) values ({number}, {serial + 1})")
            cursor.execute("commit")
            self.kept[number] |= {serial, serial + 1}
        elif kind == 3:
            with refused(1003, 2003, 904, 2140):
                cursor.execute(rng.choice(["selec 1", "select * from nowhere", "select nothing", "select nothing(1)"]))
        elif kind == 4:
            cursor.execute(f"update counters set n = n + 1 where client = {number}")
        elif kind == 5:
            cursor.execute("select count(*), max(n) from landed group by client")
            cursor.fetchall()
        elif kind == 6:
            with refused(625):  # another client is moving the same stream
                cursor.execute("insert into moved select client, n from waiting")
        else:
            cursor.execute(f"create or replace table scratch_{number} as select {serial} as n")
            cursor.execute(f"drop table scratch_{number}")
        self.statements += 1
        if time.monotonic() - began > LONGEST_STATEMENT:
            self.faults.append(f"client {number}: step {kind} took {time.monotonic() - began:.0f} s")

    def kill_now_and_then(self) -> None:
        while time.monotonic() + KILL_EVERY / 2 < self.end:
            time.sleep(min(KILL_EVERY, max(0.0, self.end - time.monotonic())))
            with contextlib.suppress(ProcessLookupError):
                os.kill(json.loads((self.data / "account.json").read_text())["pid"], signal.SIGKILL)
            self.manage("start")


@contextlib.contextmanager
def refused(*numbers: int):
    """The statement may be refused with one of these numbers, and with no other."""
    try:
        yield
    except snowflake.connector.errors.ProgrammingError as error:
        if error.errno not in numbers:
            raise


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_no_hang_no_internal_error_and_no_lost_commit(tmp_path, unused_port, monkeypatch):
    monkeypatch.setenv("SNOWFLAKE_DISABLE_PLATFORM_DETECTION", "true")
    storm = Storm(tmp_path)
    storm.manage("start", "--port", str(unused_port()))
    try:
        with contextlib.closing(storm.connect()) as connection:
            for statement in (
                "create database storm",
                "create table landed (client int, n int)",
                "create stream waiting on table landed append_only = true",
                "create table moved (client int, n int)",
                "create table counters (client int, n int)",
                "insert into counters select seq4(), 0 from table(generator(rowcount => 8))",
            ):
                connection.cursor().execute(statement)
        threads = [threading.Thread(target=storm.client, args=(number,)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        storm.kill_now_and_then()
        for thread in threads:
            thread.join(LONGEST_STATEMENT * 2)
        hanging = [thread for thread in threads if thread.is_alive()]
        with contextlib.closing(storm.connect()) as connection:
            cursor = connection.cursor()
            cursor.execute("use schema storm.public")
            cursor.execute("insert into moved select client, n from waiting")
            landed = set(cursor.execute("select client, n from landed").fetchall())
            moved = cursor.execute("select client, n from moved").fetchall()
    finally:
        storm.manage("stop")

    assert not hanging
    assert not storm.faults
    assert storm.statements > SECONDS
    for number in range(CLIENTS):
        assert {(number, n) for n in storm.kept[number]} <= landed
        assert not {(number, n) for n in storm.gone[number]} & landed
    assert sorted(landed) == sorted(moved), "each landed row went through the stream exactly once"
