"""Snowflake Scripting: anonymous blocks and the bodies of SQL procedures, run statement by statement in a host session; and scripts split into statements.

Reading order: ``lexing`` (tokens, where statements end) -> ``parsing`` (names resolved, a tree) -> ``tree`` (what each part does) -> ``values``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local_account.scripting.lexing import Statement, is_block, split
from local_account.scripting.parsing import parse
from local_account.scripting.tree import Host, Raised, Return, Rows, Run
from local_account.scripting.values import to_literal

__all__ = ["Host", "Returned", "Rows", "Statement", "is_block", "run_block", "split", "to_literal"]


@dataclass(frozen=True)
class Returned:
    """What a block returned: a value, or for RETURN TABLE the rows as the host gave them."""

    value: Any = None
    table: Rows | None = None


def run_block(text: str, arguments: dict[str, Any], host: Host) -> Returned:
    """Run a block; `arguments` are the procedure's by name (unquoted names in upper case).

    Raises SqlError: what does not compile before anything has run, and an uncaught exception with its kind, line and position.
    """
    arguments = {name.upper(): value for name, value in arguments.items()}
    block, variables = parse(text, tuple(arguments))
    run = Run(host, run_block)
    run.values.update({variables[name]: value for name, value in arguments.items()})
    try:
        block.run(run)
    except Return as result:
        return Returned(result.value, result.table)
    except Raised as raised:
        raise raised.uncaught() from raised
    return Returned()
