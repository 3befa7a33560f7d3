"""Snowflake Scripting: blocks and the bodies of SQL procedures, run statement by statement in a host's session.

Reading order: ``lexing`` (tokens, where statements end) -> ``parsing`` (names resolved, a tree made) -> ``tree`` (what
each part of it does) -> ``values`` (literals and declared types).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local_account.scripting.lexing import Statement, is_block, split, tokenize
from local_account.scripting.parsing import Passage, parse
from local_account.scripting.tree import Host, Raised, Return, Rows, Run
from local_account.scripting.values import coerce, parse_type, to_literal

__all__ = [
    "Host",
    "Passage",
    "Returned",
    "Rows",
    "Statement",
    "is_block",
    "parse",
    "run_block",
    "split",
    "to_literal",
    "tokenize",
]


@dataclass(frozen=True)
class Returned:
    """What a block returned: a value, or for RETURN TABLE the rows as the host gave them."""

    value: Any = None
    table: Rows | None = None


def run_block(
    text: str,
    arguments: dict[str, Any],
    host: Host,
    types: dict[str, str] | None = None,
    returns: str | None = None,
) -> Returned:
    """Run a block. `arguments` are the procedure's by name; `types` their declared types, to which the values are held, as what
    is returned is to `returns`.

    The text should be the body exactly as written: lines are counted from its first character.
    Raises SqlError: what does not compile before anything has run, and an uncaught exception with its kind and place.
    """
    script = parse(text, tuple(name.upper() for name in arguments))
    variables = script.variables
    run = Run(host)
    run.types.update({variables[name.upper()]: parse_type(written) for name, written in (types or {}).items()})
    for name, value in arguments.items():
        run.assign(variables[name.upper()], value)
    try:
        script.block.run(run)
    except Return as result:
        return Returned(coerce(result.value, parse_type(returns) if returns else None, run.ask), result.table)
    except Raised as raised:
        raise raised.uncaught() from raised
    return Returned()
