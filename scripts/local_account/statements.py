"""The routing table: which function answers which statement.

What no line of it names is ordinary SQL (queries, DML, tables and views) for ``queries``; what that cannot read either is refused by name.
"""

from __future__ import annotations

import re
from contextlib import nullcontext
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from local_account import (
    applications,
    blocks,
    databases,
    feature_policies,
    loading,
    packages,
    procedures,
    queries,
    query_history,
    roles,
    rules,
    scripting,
    shows,
    stages,
    streamlits,
    streams,
    tasks,
    temporaries,
)
from local_account.errors import SqlError
from local_account.handlers import PROCEDURE_SECONDS as LONGEST_SECONDS
from local_account.session import Deadline
from local_account.syntax import Match, compile_pattern, inline_identifiers, strip_comments

if TYPE_CHECKING:
    from local_account.engine import Result
    from local_account.session import Session

_LIKE = "[like {pattern:text}]"

ROUTES = tuple(
    (pattern, compile_pattern(pattern), function)
    for pattern, function in (
        # transactions and session
        ("begin [transaction] [work] [name {label}]", queries.begin),
        ("start transaction [name {label}]", queries.begin),
        ("commit [work]", queries.commit),
        ("rollback [work]", queries.rollback),
        ("use role {name}", roles.use),
        ("use secondary roles|role {name}", roles.use_secondary),
        ("use warehouse {name}", databases.use_warehouse),
        ("use database {name}", databases.use_database),
        ("use application package {name}", databases.use_database),
        ("use schema {name}", databases.use_schema),
        ("use {name}", databases.use_database),
        ("alter session set {rest}", databases.alter_session),
        ("alter session unset {rest}", databases.unset_session),
        ("set {name} = {rest}", databases.set_variable),
        ("set ( {rest}", databases.set_variables),
        ("unset {name}", databases.unset_variable),
        # databases, schemas, warehouses
        ("create [or replace] [transient] database [if not exists] {name} {rest}", databases.create_database),
        ("drop database [if exists] {name} [cascade] [restrict]", databases.drop_database),
        ("create or alter versioned schema {name} {rest}", databases.create_versioned_schema),
        ("create [or replace] [transient] schema [if not exists] {name} {rest}", databases.create_schema),
        ("drop schema [if exists] {name} [cascade] [restrict]", databases.drop_schema),
        ("create [or replace] warehouse [if not exists] {name} [with] {rest}", databases.create_warehouse),
        ("drop warehouse [if exists] {name}", databases.drop_warehouse),
        # roles and grants
        (
            "create [or replace] [or alter] application role [if not exists] {name} {rest}",
            roles.create_application_role,
        ),
        ("drop application role [if exists] {name}", roles.drop_application_role),
        ("create [or replace] role [if not exists] {name} {rest}", roles.create),
        ("drop role [if exists] {name}", roles.drop),
        ("grant application role {role} to {to_kind:words} {to}", roles.grant_application_role),
        ("revoke application role {role} from {to_kind:words} {to}", roles.revoke_application_role),
        ("grant role {role} to {to_kind:words} {to}", roles.grant_role),
        ("revoke role {role} from {to_kind:words} {to}", roles.revoke_role),
        (
            "grant ownership on {kind:words} {on:target} to role {to} [copy current grants] [revoke current grants]",
            roles.grant_ownership,
        ),
        ("grant {privileges:list} on account to {to_kind:words} {to} [with grant option]", roles.grant),
        (
            "grant {privileges:list} on [{kind:words}] {on:target} to {to_kind:words} {to} [with grant option]",
            roles.grant,
        ),
        ("revoke [grant option for] {privileges:list} on account from {to_kind:words} {to}", roles.revoke),
        (
            "revoke [grant option for] {privileges:list} on [{kind:words}] {on:target} from {to_kind:words} {to} [cascade] [restrict]",
            roles.revoke,
        ),
        # stages
        ("create [or replace] file format [if not exists] {name} {rest}", loading.create_file_format),
        ("drop file format [if exists] {name} {rest}", loading.drop_file_format),
        ("copy into {rest}", loading.copy),
        ("create [or replace] stage [if not exists] {name} {rest}", stages.create),
        ("drop stage [if exists] {name} {rest}", stages.drop),
        ("list|ls {rest}", stages.list_files),
        ("remove|rm {rest}", stages.remove),
        ("put {rest}", stages.put),
        ("get {rest}", stages.get),
        # packages and applications
        ("create application package [if not exists] {name} {rest}", packages.create),
        ("drop application package [if exists] {name}", packages.drop),
        ("alter application package [if exists] {name} {rest}", packages.alter),
        ("show application packages {rest}", packages.show),
        ("describe|desc application package {name}", packages.describe),
        ("show versions [like {pattern:text}] in application package {name}", packages.show_versions),
        (
            "show release directives [like {pattern:text}] in application package {name} [for release channel {channel}]",
            packages.show_directives,
        ),
        ("show release channels [like {pattern:text}] in application package {name}", packages.show_channels),
        ("create application {name} from application package {package} {rest}", applications.create),
        ("create [or replace] feature policy [if not exists] {name} {rest}", feature_policies.create),
        ("drop feature policy {name}", feature_policies.drop),
        ("alter account set feature policy {name} for all applications [force]", feature_policies.set_on_account),
        ("alter account unset feature policy for all applications", feature_policies.unset_on_account),
        ("alter application {name} set feature policy {policy} [force]", feature_policies.set_on_application),
        ("alter application {name} unset feature policy", feature_policies.unset_on_application),
        ("alter application [if exists] {name} upgrade {rest}", applications.upgrade),
        ("alter application [if exists] {name} set {rest}", applications.set_options),
        ("alter application [if exists] {name} {rest}", applications.refuse_alter),
        ("drop application [if exists] {name} [cascade]", applications.drop),
        ("show applications {rest}", applications.show),
        ("describe|desc application {name}", applications.describe),
        ("show objects owned by application {name}", applications.show_owned),
        ("show telemetry event definitions in application {name}", applications.show_telemetry),
        ("show privileges in application {name}", applications.show_privileges),
        # code
        ("create [or replace] [secure] procedure [if not exists] {name} ( {rest}", procedures.create_procedure),
        ("create [or replace] [secure] function [if not exists] {name} ( {rest}", procedures.create_function),
        ("drop procedure [if exists] {on:target}", procedures.drop_procedure),
        ("drop function [if exists] {on:target}", procedures.drop_function),
        ("call {rest}", procedures.call),
        ("execute immediate from {rest}", blocks.execute_file),
        ("execute immediate {rest}", blocks.execute_immediate),
        ("create [or replace] streamlit [if not exists] {name} {rest}", streamlits.create),
        ("drop streamlit [if exists] {name}", streamlits.drop),
        # streams and tasks
        ("create [or replace] stream [if not exists] {name} on table {table} {rest}", streams.create),
        ("drop stream [if exists] {name}", streams.drop),
        ("create [or replace] [or alter] task [if not exists] {name} {rest}", tasks.create),
        ("alter task [if exists] {name} resume", tasks.resume),
        ("alter task [if exists] {name} suspend", tasks.suspend),
        ("drop task [if exists] {name}", tasks.drop),
        ("execute task {name}", tasks.execute),
        # looking
        (f"show streams {_LIKE} {{rest}}", shows.of(streams.show)),
        (f"show tasks {_LIKE} {{rest}}", shows.of(tasks.show)),
        (f"show [user] procedures {_LIKE} {{rest}}", shows.of(procedures.show_procedures)),
        (f"show [user] functions {_LIKE} {{rest}}", shows.of(procedures.show_functions)),
        (f"show stages {_LIKE} {{rest}}", shows.of(stages.show)),
        (f"show streamlits {_LIKE} {{rest}}", shows.of(streamlits.show)),
        (f"show [terse] databases {_LIKE} {{rest}}", shows.databases),
        (f"show [terse] schemas {_LIKE} {{rest}}", shows.of(shows.schemas)),
        (f"show [terse] tables|views|objects {_LIKE} {{rest}}", shows.of(shows.tables)),
        (f"show columns {_LIKE} {{rest}}", shows.of(shows.columns)),
        (f"show warehouses {_LIKE}", shows.warehouses),
        (f"show roles {_LIKE}", roles.show),
        ("show application roles in application {scope}", roles.show_application_roles),
        ("show grants {direction:direction} {kind:words} {name:target}", roles.show_grants),
        (f"show parameters {_LIKE} {{rest}}", shows.parameters),
        ("show variables", shows.variables),
        ("describe|desc database {name}", shows.describe_database),
        ("describe|desc schema {name}", shows.describe_schema),
        ("describe|desc warehouse {name}", shows.describe_warehouse),
        ("describe|desc stage {name}", stages.describe),
        ("describe|desc [table] {name}", shows.describe_table),
        ("describe|desc view {name}", shows.describe_table),
        ("describe|desc task {name}", tasks.describe),
        ("describe|desc stream {name}", streams.describe),
        ("describe|desc streamlit {name}", streamlits.describe),
        ("describe|desc procedure {on:target}", procedures.describe_procedure),
        ("describe|desc function {on:target}", procedures.describe_function),
    )
)


def execute(session: Session, text: str, binds: list[Any] | None = None) -> Result:
    """Runs one statement as the session; ``binds`` are the values of its ``?`` in order."""
    seconds = int(session.parameters.get("STATEMENT_TIMEOUT_IN_SECONDS", LONGEST_SECONDS))
    if session.deadline:
        session.deadline.seconds_left()
    with (
        session.watch.over(session.depth, text) if session.watch else nullcontext(),
        Deadline(session, seconds) if seconds < LONGEST_SECONDS and not session.deadline else nullcontext(),
        query_history.noted(session, text) if not session.application else nullcontext({}) as entry,  # type: ignore[attr-defined]
    ):
        result = _execute(session, text, binds)
        entry |= {"QUERY_ID": session.query_id, "ROWS_PRODUCED": result.rowcount}
        return result


def _execute(session: Session, text: str, binds: list[Any] | None) -> Result:
    statement = strip_comments(text)
    if not statement:
        raise SqlError(900, "SQL compilation error: Empty SQL statement.")
    transaction = session.transaction
    if transaction.open and transaction.lost and not statement.upper().startswith(("ROLLBACK", "COMMIT")):
        raise SqlError(
            transaction.lost.errno,
            "The open transaction cannot go on: an earlier statement of it failed at run time, and the local account cannot undo that statement alone. "
            f"ROLLBACK, then begin again. The earlier error: {transaction.lost.message}",
            transaction.lost.sqlstate,
        )
    statement, binds = inline_identifiers(statement, binds or [], session.variables)
    rules.refuse(session, statement)
    if (result := temporaries.execute(session, statement, binds or [])) is not None:
        return result
    if blocks.is_block(statement):
        return session.remember(blocks.run_anonymous(session, statement))
    if found := route(statement, binds or []):
        function, match = found
        return session.remember(function(session, match))
    return session.remember(queries.run(session, statement, binds or []))


def route(statement: str, binds: list[Any]) -> tuple[shows.Handler, Match] | None:
    """What answers a statement; None when it is ordinary SQL."""
    for _, pattern, function in ROUTES:
        if found := pattern.match(statement):
            return function, Match(found, statement, binds)
    return None


_MARKS = ("?", "'A'", "1")  # for a variable: most grammar takes a bind, some a literal alone


@lru_cache(maxsize=2048)  # blocks are run, and setup scripts installed, more often than they change
def require_readable(text: str, arguments: tuple[str, ...] = ()) -> None:
    """Raises SqlError for a statement that nobody could run, or a block with such a one in it; `arguments` are the block's."""
    statement = strip_comments(text)
    if blocks.is_block(statement):
        for passage in scripting.parse(text, arguments).passages:
            _require_readable_passage(passage)
        return
    names = {name.upper(): "A" for name in re.findall(r"\$(\w+)", statement)}
    statement, _ = inline_identifiers(statement, ["A"] * statement.count("?"), names)
    if not route(statement, []):
        queries.parse(statement)


def _require_readable_passage(passage: scripting.Passage) -> None:
    """Syntax alone: what else is wrong with a statement, Snowflake says when it runs."""
    failure = None
    for mark in _MARKS:
        try:
            return require_readable(passage.text(mark))
        except SqlError as error:
            if error.errno != 1003:
                return None
            failure = failure or passage.located(error)
    assert failure
    raise failure
