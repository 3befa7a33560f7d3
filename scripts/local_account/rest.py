"""The REST API as far as `snow object create` needs it: each request is the CREATE that it stands for (developer-guide/snowflake-rest-api).

The client finds the address of a kind of object by asking for a list there: 404 means that its objects stand elsewhere, or are not made this way.
"""

from __future__ import annotations

import re
from typing import Any

from local_account.errors import SqlError
from local_account.shapes import text

# What stands below the account, below a database, below a schema; each level's kinds by the name in their addresses.
_KINDS = (
    {"databases": "database", "warehouses": "warehouse", "roles": "role"},
    {"schemas": "schema"},
    {"stages": "stage", "tables": "table"},
)
_MODES = {"orReplace": ("or replace ", ""), "ifNotExists": ("", "if not exists "), "errorIfExists": ("", "")}
_ADDRESS = re.compile(
    r"api/v2/(?:databases/(?P<database>[^/]+)/(?:schemas/(?P<schema>[^/]+)/)?)?(?P<kind>\w+)(?:/(?P<name>[^/]+))?/?"
)
_CODES = {2002: 409, 3001: 401, 2003: 404, 2043: 404}


def statement(method: str, address: str, mode: str, body: Any) -> str | None:
    """The SQL that a request stands for, empty where a list is asked for; None where nothing answers. Raises SqlError for a body that is no object's."""
    found = _ADDRESS.fullmatch(address)
    holders = [holder for holder in (found["database"], found["schema"]) if holder] if found else []
    kind = _KINDS[len(holders)].get(found["kind"]) if found else None
    if not found or not kind:
        return None
    if method == "GET":
        return f"describe {kind} {'.'.join([*holders, found['name']])}" if found["name"] else ""
    return _create(kind, holders, mode, body)


def reply(answer: dict[str, Any]) -> tuple[int, Any]:
    """The HTTP status and the JSON of what the statement answered."""
    if not answer["success"]:
        return _CODES.get(int(answer["code"]), 400), {"code": answer["code"], "message": answer["message"]}
    rows = answer["data"].get("rowset") or [["found"]]
    return 200, {"status": rows[0][0]}


def _create(kind: str, holders: list[str], mode: str, body: Any) -> str:
    if not isinstance(body, dict) or not body.get("name"):
        raise SqlError(1003, f"A {kind} needs a name.")
    if mode not in _MODES:
        raise SqlError(1003, f"createMode is one of {', '.join(_MODES)}.")
    replace, guard = _MODES[mode]
    given = dict(body)
    columns = given.pop("columns", None)
    name = ".".join([*holders, str(given.pop("name"))])
    listed = f" ({', '.join(map(_column, columns))})" if kind == "table" and columns else ""
    options = " ".join(f"{key} = {_value(value)}" for key, value in given.items() if value is not None)
    return f"create {replace}{kind} {guard}{name}{listed} {options}"


def _column(column: dict[str, Any]) -> str:
    known = {"name", "datatype", "nullable", "default", "comment"}
    if unknown := set(column) - known:
        raise SqlError(
            2,
            f"Unsupported feature 'column property {', '.join(sorted(unknown))}' of the local account: CREATE it in SQL.",
        )
    if not {"name", "datatype"} <= set(column):
        raise SqlError(1003, "A column has a name and a datatype.")
    parts = [column["name"], column["datatype"], "" if column.get("nullable", True) else "not null"]
    parts += [f"default {column['default']}" if column.get("default") is not None else ""]
    parts += [f"comment {text(column['comment'])}" if column.get("comment") else ""]
    return " ".join(part for part in parts if part)


def _value(value: Any) -> str:
    return text(value) if isinstance(value, str) else str(value).lower()
