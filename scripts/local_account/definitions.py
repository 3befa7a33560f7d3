"""Tables and views: CREATE, ALTER, DROP, COMMENT, and what can be read of them.

DuckDB's catalogue is the catalogue. What it cannot say stands as JSON in its comments: of a column {"type", "comment"},
of a table or view {"comment", "primary_key", "options", "text", "created_on"}.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import duckdb
from sqlglot import exp

from local_account.errors import SqlError, compilation, unsupported
from local_account.rewrites import translate
from local_account.types import Column, canonical, duckdb_type, snowflake_type, text_length

HIDDEN = "METADATA$"
Describe = Callable[[exp.Expression], tuple[str, list[Column]]]

_version = 0
_columns: dict[tuple[int, str], tuple[tuple[str, str], ...]] = {}


def changed() -> None:
    """Forgets what is known of tables: to be called when databases are attached or detached and schemas dropped."""
    global _version
    _version += 1
    _columns.clear()


def version() -> int:
    """A number that grows with every definition."""
    return _version


@dataclass(frozen=True)
class Field:
    """A column of a table, in Snowflake's words; `default` is DuckDB's text, `identity` the start and step of a column
    that counts."""

    name: str
    type: str
    nullable: bool = True
    default: str | None = None
    comment: str | None = None
    written_default: str | None = None
    identity: tuple[int, int] | None = None


@dataclass(frozen=True)
class Table:
    """A table's definition. `path` is its physical name, quoted."""

    path: str
    fields: tuple[Field, ...]
    comment: str | None = None
    primary_key: tuple[str, ...] = ()
    options: dict = field(default_factory=dict)
    created_on: str | None = None


def quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def path_of(table: exp.Table) -> str:
    return ".".join(quote(part.name) for part in table.parts)


def _table(node: exp.Expression) -> exp.Table:
    return node.this if isinstance(node, exp.Schema) else node


# --- reading


def columns_of(cursor: duckdb.DuckDBPyConnection, table: exp.Expression) -> tuple[tuple[str, str], ...]:
    """Names and DuckDB's types of a table's columns, without the hidden ones."""
    table = _table(table)
    key = (_version, path_of(table))
    found = _columns.get(key)
    if found is None:
        found = _columns[key] = columns_read(cursor, table)
    return found


def columns_read(cursor: duckdb.DuckDBPyConnection, table: exp.Table) -> tuple[tuple[str, str], ...]:
    """As `columns_of`, asked anew: for tables that a session has registered."""
    relation = cursor.sql(f"select * from {path_of(table)} limit 0")
    return tuple(
        (name, str(type_))
        for name, type_ in zip(relation.columns, relation.types, strict=True)
        if not name.startswith(HIDDEN)
    )


def _said(comment: str | None) -> dict:
    """What a comment of ours says; another one is a plain comment."""
    if not comment:
        return {}
    try:
        said = json.loads(comment)
    except ValueError:
        return {"comment": comment}
    return said if isinstance(said, dict) else {"comment": comment}


def describe_table(cursor: duckdb.DuckDBPyConnection, database: str, schema: str, name: str) -> list[dict]:
    """The columns of a table or view: name, type, kind, null?, default, primary key, comment.

    Raises SqlError 2003 when there is none.
    """
    kind = cursor.execute(
        "select comment from duckdb_tables() where database_name = $1 and schema_name = $2 and table_name = $3"
        " union all select comment from duckdb_views() where database_name = $1 and schema_name = $2 and view_name = $3",
        [database, schema, name],
    ).fetchone()
    if kind is None:
        raise compilation(2003, f"Table '{database}.{schema}.{name}' does not exist or not authorized.", "02000")
    about = _said(kind[0])
    of_view = about.get("columns", {})
    rows = cursor.execute(
        "select column_name, data_type, is_nullable, comment from duckdb_columns() where database_name = ? and schema_name = ? and table_name = ? order by column_index",
        [database, schema, name],
    ).fetchall()
    found = []
    for column, type_, nullable, comment in rows:
        if column.startswith(HIDDEN):
            continue
        said = _said(comment)
        found.append(
            {
                "name": column,
                "type": said.get("type") or snowflake_type(type_),
                "kind": "COLUMN",
                "null?": "Y" if nullable else "N",
                "default": said.get("default"),
                "primary key": "Y" if column in about.get("primary_key", ()) else "N",
                "comment": said.get("comment") or of_view.get(column),
            }
        )
    return found


def list_tables(cursor: duckdb.DuckDBPyConnection, database: str) -> list[dict]:
    """Tables and views of a database: schema, name, kind, comment, rows (None for views), created_on (aware, or None),
    text (of views), options."""
    rows = cursor.execute(
        "select schema_name, table_name, 'TABLE', comment, estimated_size, null from duckdb_tables() where database_name = $1"
        " union all select schema_name, view_name, 'VIEW', comment, null, sql from duckdb_views() where database_name = $1 and not internal order by 1, 2",
        [database],
    ).fetchall()
    found = []
    for schema, name, kind, comment, count, sql in rows:
        said = _said(comment)
        created = said.get("created_on")
        found.append(
            {
                "schema": schema,
                "name": name,
                "kind": kind,
                "comment": said.get("comment"),
                "rows": count,
                "created_on": datetime.fromisoformat(created) if created else None,
                "text": said.get("text") or sql,
                "options": said.get("options", {}),
                "primary_key": said.get("primary_key", []),
            }
        )
    return found


def _read(cursor: duckdb.DuckDBPyConnection, table: exp.Table) -> Table:
    """The definition of a table as it stands, with its hidden columns."""
    database, schema, name = table.catalog, table.db, table.name
    found = cursor.execute(
        "select comment from duckdb_tables() where database_name = ? and schema_name = ? and table_name = ?",
        [database, schema, name],
    ).fetchone()
    if found is None:
        raise compilation(2003, f"Table '{database}.{schema}.{name}' does not exist or not authorized.", "42S02")
    about = _said(found[0])
    fields = []
    for column, type_, nullable, default, comment in cursor.execute(
        "select column_name, data_type, is_nullable, column_default, comment from duckdb_columns()"
        " where database_name = ? and schema_name = ? and table_name = ? order by column_index",
        [database, schema, name],
    ).fetchall():
        said = _said(comment)
        fields.append(
            Field(
                column,
                said.get("type") or snowflake_type(type_),
                nullable,
                default,
                said.get("comment"),
                said.get("default"),
            )
        )
    return Table(
        path_of(table),
        tuple(fields),
        about.get("comment"),
        tuple(about.get("primary_key", ())),
        about.get("options", {}),
        about.get("created_on"),
    )


# --- writing


def _column_sql(item: Field) -> str:
    parts = [quote(item.name), "bigint" if item.name.startswith(HIDDEN) else duckdb_type(item.type)]
    if item.default is not None:
        parts.append(f"default {item.default}")
    if not item.nullable:
        parts.append("not null")
    if limit := text_length(item.type):
        parts.append(f"check (length({quote(item.name)}) <= {limit})")
    return " ".join(parts)


def _comment_sql(kind: str, path: str, said: dict) -> str:
    said = {key: value for key, value in said.items() if value not in (None, "", [], {}, ())}
    return f"comment on {kind} {path} is {text(json.dumps(said, ensure_ascii=False)) if said else 'null'}"


def _column_comment(path: str, item: Field) -> str:
    return _comment_sql(
        "column",
        f"{path}.{quote(item.name)}",
        {"type": item.type, "comment": item.comment, "default": item.written_default},
    )


def _table_comment(table: Table) -> str:
    said = {
        "comment": table.comment,
        "primary_key": list(table.primary_key),
        "options": table.options,
        "created_on": table.created_on,
    }
    return _comment_sql("table", table.path, said)


def _create(table: Table, *, replace_: bool = False) -> list[str]:
    statements = [f"drop table {table.path}"] if replace_ else []
    fields = []
    for item in table.fields:
        if item.identity:
            sequence = _sequence(table.path, item.name)
            start, step = item.identity
            statements += [
                f"drop sequence if exists {sequence}",
                f"create sequence {sequence} start {start} increment {step}",
            ]
            item = replace(item, default=f"nextval({text(sequence)})")
        fields.append(item)
    body = ",\n    ".join(_column_sql(item) for item in fields)
    comments = [_column_comment(table.path, item) for item in fields if not item.name.startswith(HIDDEN)]
    return [*statements, f"create table {table.path} (\n    {body}\n)", _table_comment(table), *comments]


def _sequence(path: str, column: str) -> str:
    """The sequence behind a column that counts."""
    return path[:-1] + "$" + quote(column)[1:]


def _execute(cursor: duckdb.DuckDBPyConnection, statements: Sequence[str]) -> None:
    for statement in statements:
        cursor.execute(statement)


def _rebuild(cursor: duckdb.DuckDBPyConnection, table: Table, kept: dict[str, str]) -> None:
    """Puts a table into a new shape; `kept` tells for each column of the new shape which expression over the old table
    fills it."""
    old = _as_table(table.path)
    scratch = ".".join([*(quote(part.name) for part in old.parts[:-1]), quote(old.name + " (new)")])
    targets = ", ".join(quote(name) for name in kept)
    copied = f"insert into {scratch} ({targets}) select {', '.join(kept.values())} from {table.path}"
    _execute(
        cursor,
        [
            *_create(replace(table, path=scratch)),
            *([copied] if kept else []),
            f"drop table {table.path}",
            f"alter table {scratch} rename to {quote(old.name)}",
        ],
    )


def _as_table(path: str) -> exp.Table:
    return exp.to_table(path, dialect="duckdb")


def run(
    cursor: duckdb.DuckDBPyConnection,
    tree: exp.Expression,
    describe: Describe,
    now: datetime,
    *,
    in_transaction: bool = False,
) -> str:
    """Runs a definition, all of it or nothing, and answers Snowflake's status line.

    `describe` gives a query's text for DuckDB and its columns.
    """
    if not in_transaction:
        cursor.begin()
    try:
        status = _run(cursor, tree, describe, now)
        if not in_transaction:
            cursor.commit()
        return status
    except BaseException:
        if not in_transaction:
            cursor.rollback()
        raise
    finally:
        changed()


def _run(cursor: duckdb.DuckDBPyConnection, tree: exp.Expression, describe: Describe, now: datetime) -> str:
    if isinstance(tree, exp.Create):
        kind = (tree.args.get("kind") or "").upper()
        if kind == "TABLE":
            return _create_table(cursor, tree, describe, now.isoformat())
        if kind == "VIEW":
            return _create_view(cursor, tree, describe, now.isoformat())
        raise unsupported(f"CREATE {kind}")
    if isinstance(tree, exp.Drop):
        return _drop(cursor, tree)
    if isinstance(tree, exp.Comment):
        return _comment_on(cursor, tree)
    return _alter(cursor, tree)


def _exists(cursor: duckdb.DuckDBPyConnection, table: exp.Table) -> str | None:
    """TABLE, VIEW or None."""
    found = cursor.execute(
        "select 'TABLE' from duckdb_tables() where database_name = $1 and schema_name = $2 and table_name = $3"
        " union all select 'VIEW' from duckdb_views() where database_name = $1 and schema_name = $2 and view_name = $3",
        [table.catalog, table.db, table.name],
    ).fetchone()
    return found[0] if found else None


def _name(node: exp.Expression) -> str:
    identifier = node if isinstance(node, exp.Identifier) else node.this
    return identifier.name if identifier.args.get("quoted") else identifier.name.upper()


def _field(node: exp.ColumnDef) -> Field:
    if node.args.get("kind") is None:
        raise compilation(1003, f"Column '{_name(node)}' has no type.")
    found = Field(_name(node), canonical(node.args["kind"]))
    for constraint in node.args.get("constraints") or ():
        kind = constraint.kind
        if isinstance(kind, exp.NotNullColumnConstraint):
            found = replace(found, nullable=bool(kind.args.get("allow_null")))
        elif isinstance(kind, exp.CommentColumnConstraint):
            found = replace(found, comment=kind.this.name)
        elif isinstance(kind, exp.DefaultColumnConstraint):
            found = replace(found, default=translate(kind.this), written_default=kind.this.sql(dialect="snowflake"))
        elif isinstance(kind, exp.PrimaryKeyColumnConstraint):
            found = replace(found, nullable=False)
        elif isinstance(kind, (exp.AutoIncrementColumnConstraint, exp.GeneratedAsIdentityColumnConstraint)):
            start, step = (int(kind.args[name].name) if kind.args.get(name) else 1 for name in ("start", "increment"))
            found = replace(
                found, identity=(start, step), written_default=f"IDENTITY START {start} INCREMENT {step} NOORDER"
            )
        elif isinstance(kind, (exp.UniqueColumnConstraint, exp.ReferenceColumnConstraint)) or isinstance(
            kind, exp.Reference
        ):
            continue
        else:
            raise unsupported(f"column constraint {kind.sql(dialect='snowflake')}")
    return found


def _definition(tree: exp.Create) -> Table:
    fields, key = [], []
    for item in tree.this.expressions if isinstance(tree.this, exp.Schema) else ():
        if isinstance(item, exp.ColumnDef):
            fields.append(_field(item))
            if any(
                isinstance(constraint.kind, exp.PrimaryKeyColumnConstraint)
                for constraint in item.args.get("constraints") or ()
            ):
                key.append(_name(item))
        elif isinstance(item, exp.Constraint):
            for part in item.expressions:
                if isinstance(part, exp.PrimaryKey):
                    key += [_name(column) for column in part.expressions]
        elif isinstance(item, exp.PrimaryKey):
            key += [_name(column) for column in item.expressions]
        elif isinstance(item, (exp.UniqueColumnConstraint, exp.ForeignKey)):
            continue
        elif isinstance(item, exp.Identifier):
            fields.append(Field(_name(item), ""))
        else:
            raise unsupported(f"table constraint {item.sql(dialect='snowflake')}")
    names = [item.name for item in fields]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise compilation(2025, f"duplicate column name '{twice}'", "42S21")
    fields = [replace(item, nullable=False) if item.name in key else item for item in fields]
    comment, options = _properties(tree)
    return Table(path_of(_table(tree.this)), tuple(fields), comment, tuple(key), options)


def _properties(tree: exp.Create) -> tuple[str | None, dict]:
    comment, options = None, {}
    for item in (tree.args.get("properties") or exp.Properties(expressions=[])).expressions:
        if isinstance(item, exp.SchemaCommentProperty):
            comment = item.this.name
        elif isinstance(item, exp.TransientProperty):
            options["TRANSIENT"] = True
        elif isinstance(item, exp.TemporaryProperty):
            options["TEMPORARY"] = True
        elif isinstance(item, exp.SecureProperty):
            options["SECURE"] = True
        elif isinstance(item, exp.ClusterProperty) or type(item).__name__ in ("ClusteredByProperty", "Cluster"):
            options["CLUSTER_BY"] = ", ".join(part.sql(dialect="snowflake") for part in item.expressions)
        elif isinstance(item, (exp.CopyGrantsProperty, exp.LikeProperty)):
            continue
        elif type(item) is exp.Property:
            value = item.args["value"]
            options[item.name.upper()] = (
                value.this if isinstance(value, exp.Boolean) else int(value.name) if value.is_int else value.name
            )
        else:
            raise unsupported(f"property {item.sql(dialect='snowflake')}")
    return comment, options


def _create_table(cursor: duckdb.DuckDBPyConnection, tree: exp.Create, describe: Describe, now: str) -> str:
    target = _table(tree.this)
    label = target.name
    present = _exists(cursor, target)
    if present and tree.args.get("exists"):
        return f"{label} already exists, statement succeeded."
    or_alter = tree.meta.get("or_alter")
    if present and not or_alter and not tree.args.get("replace"):
        raise compilation(2002, f"Object '{label}' already exists.", "42710")
    if present == "VIEW":
        raise compilation(2203, f"Object '{label}' already exists as VIEW.", "42710")
    properties = (tree.args.get("properties") or exp.Properties(expressions=[])).expressions
    if like := next((item for item in properties if isinstance(item, exp.LikeProperty)), None):
        table = replace(_read(cursor, like.this), path=path_of(target), created_on=now)
        table = replace(table, fields=tuple(item for item in table.fields if not item.name.startswith(HIDDEN)))
        _execute(cursor, _create(table, replace_=bool(present)))
    elif clone := tree.args.get("clone"):
        table = replace(_read(cursor, clone.this), path=path_of(target), created_on=now)
        table = replace(table, fields=tuple(item for item in table.fields if not item.name.startswith(HIDDEN)))
        names = ", ".join(quote(item.name) for item in table.fields)
        _execute(
            cursor,
            [
                *_create(table, replace_=bool(present)),
                f"insert into {table.path} ({names}) select {names} from {path_of(clone.this)}",
            ],
        )
    elif tree.expression is not None:
        if or_alter:
            raise unsupported("CREATE OR ALTER TABLE AS SELECT")
        _create_as(cursor, tree, describe, now, replaces=bool(present))
    elif or_alter and present:
        _become(cursor, _read(cursor, target), _definition(tree))
    else:
        _execute(cursor, _create(replace(_definition(tree), created_on=now), replace_=bool(present)))
    return f"Table {label} successfully created."


def _create_as(
    cursor: duckdb.DuckDBPyConnection, tree: exp.Create, describe: Describe, now: str, *, replaces: bool
) -> None:
    """CREATE TABLE AS: the query's types become declared types, so that the table takes what Snowflake's would."""
    declared = _definition(tree)
    sql, columns = describe(tree.expression)
    if declared.fields and len(declared.fields) != len(columns):
        raise compilation(2026, "Invalid column definition list", "42601")
    if not declared.fields:
        _require_names(tree.expression)
    names = declared.fields or tuple(Field(column.name, "") for column in columns)
    fields = tuple(
        replace(item, type=item.type or _declared(column)) for item, column in zip(names, columns, strict=True)
    )
    table = replace(declared, fields=fields, created_on=now)
    _execute(
        cursor,
        [
            *_create(table, replace_=replaces),
            f"insert into {table.path} ({', '.join(quote(item.name) for item in fields)}) {sql}",
        ],
    )


def _require_names(query: exp.Expression) -> None:
    """A table or view needs a name for each column: an expression has none of its own."""
    while isinstance(query, (exp.SetOperation, exp.Subquery)):
        query = query.this
    for item in query.expressions if isinstance(query, exp.Select) else ():
        if not item.is_star and not isinstance(item, (exp.Alias, exp.Column)):
            raise compilation(2022, "Missing column specification", "42601")


def _declared(column: Column) -> str:
    return {
        "fixed": f"NUMBER({column.precision},{column.scale})", "real": "FLOAT", "text": "VARCHAR(16777216)", "binary": "BINARY(8388608)", "time": "TIME(9)",
        "timestamp_ntz": "TIMESTAMP_NTZ(9)", "timestamp_ltz": "TIMESTAMP_LTZ(9)", "timestamp_tz": "TIMESTAMP_TZ(9)",
    }.get(column.type, column.type.upper())  # fmt: skip


def _become(cursor: duckdb.DuckDBPyConnection, old: Table, new: Table) -> None:
    """CREATE OR ALTER TABLE: keeps the rows, adds and drops columns; renaming, reordering and narrowing are refused as
    Snowflake refuses them."""
    before = {item.name: item for item in old.fields if not item.name.startswith(HIDDEN)}
    hidden = tuple(item for item in old.fields if item.name.startswith(HIDDEN))
    after = {item.name: item for item in new.fields}
    shared = [name for name in before if name in after]
    if shared != [name for name in after if name in before] or any(
        name not in before for name in list(after)[: len(shared)]
    ):
        raise unsupported("CREATE OR ALTER TABLE with another order of columns", "columns can be added at the end only")
    for name in shared:
        _check_retype(name, before[name].type, after[name].type)
    for item in new.fields:
        if item.name not in before and not item.nullable and item.default is None and _has_rows(cursor, old.path):
            raise compilation(
                2266,
                f"Non-nullable column '{item.name}' cannot be added to non-empty table without a default.",
                "42601",
            )
    kept = {name: f"{quote(name)}::{duckdb_type(after[name].type)}" for name in shared} | {
        item.name: quote(item.name) for item in hidden
    }
    kept |= {item.name: item.default for item in new.fields if item.name not in before and item.default is not None}
    _rebuild(cursor, replace(new, fields=(*new.fields, *hidden), created_on=old.created_on), kept)


def _has_rows(cursor: duckdb.DuckDBPyConnection, path: str) -> bool:
    return cursor.execute(f"select 1 from {path} limit 1").fetchone() is not None


def _check_retype(name: str, old: str, new: str) -> None:
    """A column's type may grow, not change."""
    if old == new:
        return
    kind_old, kind_new = old.split("(")[0], new.split("(")[0]
    size = lambda type_: [int(part) for part in type_[type_.index("(") + 1 : -1].split(",")] if "(" in type_ else []  # noqa: E731
    a, b = size(old), size(new)
    grows = kind_old == kind_new and (
        (kind_new == "NUMBER" and a[1] == b[1] and b[0] >= a[0]) or (kind_new in ("VARCHAR", "BINARY") and b[0] >= a[0])
    )
    if not grows:
        raise SqlError(2108, f"SQL compilation error:\ncannot change column {name} from type {old} to {new}", "22000")


def _create_view(cursor: duckdb.DuckDBPyConnection, tree: exp.Create, describe: Describe, now: str) -> str:
    target = _table(tree.this)
    present = _exists(cursor, target)
    if present and tree.args.get("exists"):
        return f"{target.name} already exists, statement succeeded."
    if present == "TABLE":
        raise compilation(2203, f"Object '{target.name}' already exists as TABLE.", "42710")
    if present and not tree.args.get("replace"):
        raise compilation(2002, f"Object '{target.name}' already exists.", "42710")
    if tree.expression.find(exp.Placeholder):
        raise compilation(2210, "Bind variables not allowed in view and UDF definitions.", "42601")
    sql, columns = describe(tree.expression)
    given = tree.this.expressions if isinstance(tree.this, exp.Schema) else ()
    if not given:
        _require_names(tree.expression)
    if given and len(given) != len(columns):
        raise compilation(2026, "Invalid column definition list", "42601")
    names = [_name(item) for item in given] or [column.name for column in columns]
    comments = {
        _name(item): constraint.kind.this.name
        for item in given if isinstance(item, exp.ColumnDef)
        for constraint in item.args.get("constraints") or () if isinstance(constraint.kind, exp.CommentColumnConstraint)
    }  # fmt: skip
    comment, options = _properties(tree)
    said = {
        "comment": comment,
        "options": options,
        "columns": comments,
        "text": tree.meta.get("text") or tree.sql(dialect="snowflake"),
        "created_on": now,
    }
    path = path_of(target)
    create = f"create or replace view {path} ({', '.join(quote(name) for name in names)}) as {sql}"
    _execute(cursor, [create, _comment_sql("view", path, said)])
    return f"View {target.name} successfully created."


def _drop(cursor: duckdb.DuckDBPyConnection, tree: exp.Drop) -> str:
    kind = (tree.args.get("kind") or "").upper()
    if kind not in ("TABLE", "VIEW"):
        raise unsupported(f"DROP {kind}")
    target = tree.args["tables"][0] if tree.args.get("tables") else tree.this
    found = _exists(cursor, target)
    if found != kind:
        if tree.args.get("exists"):
            return f"Drop statement executed successfully ({target.name} already dropped)."
        if found:
            raise compilation(2203, f"Object found is of type '{found}', not specified type '{kind}'.", "42710")
        raise compilation(2003, f"{kind.capitalize()} '{_shown(target)}' does not exist or not authorized.", "42S02")
    counting = [_sequence(path_of(target), name) for name, _ in columns_of(cursor, target)] if kind == "TABLE" else []
    _execute(
        cursor,
        [f"drop {kind.lower()} {path_of(target)}", *(f"drop sequence if exists {sequence}" for sequence in counting)],
    )
    return f"{target.name} successfully dropped."


def _shown(table: exp.Table) -> str:
    return ".".join(part.name for part in table.parts)


def _comment_on(cursor: duckdb.DuckDBPyConnection, tree: exp.Comment) -> str:
    kind, said = str(tree.args["kind"]).upper(), tree.expression.name or None
    if kind == "COLUMN":
        _set_column_comment(cursor, tree.this, _name(tree.args["column"]), said)
    elif kind in ("TABLE", "VIEW"):
        if not _exists(cursor, tree.this) and tree.args.get("exists"):
            return "Statement executed successfully."
        _set_comment(cursor, tree.this, said)
    else:
        raise unsupported(f"COMMENT ON {kind}")
    return "Statement executed successfully."


def _set_comment(
    cursor: duckdb.DuckDBPyConnection,
    target: exp.Table,
    said: str | None,
    options: dict | None = None,
    dropped: Sequence[str] = (),
) -> None:
    kind = _exists(cursor, target)
    if kind is None:
        raise compilation(2003, f"Object '{_shown(target)}' does not exist or not authorized.", "42S02")
    function, column = ("duckdb_tables()", "table_name") if kind == "TABLE" else ("duckdb_views()", "view_name")
    (comment,) = cursor.execute(
        f"select comment from {function} where database_name = ? and schema_name = ? and {column} = ?",
        [target.catalog, target.db, target.name],
    ).fetchone()
    about = _said(comment)
    if said is not None:
        about["comment"] = said
    about["options"] = {
        key: value for key, value in {**about.get("options", {}), **(options or {})}.items() if key not in dropped
    }
    _execute(cursor, [_comment_sql(kind.lower(), path_of(target), about)])


def _set_column_comment(cursor: duckdb.DuckDBPyConnection, target: exp.Table, name: str, said: str | None) -> None:
    item = _find(_read(cursor, target), name)
    _execute(cursor, [_column_comment(path_of(target), replace(item, comment=said))])


def _find(table: Table, name: str) -> Field:
    for item in table.fields:
        if item.name == name:
            return item
    raise compilation(904, f"error line 1 at position 0\ninvalid identifier '{name}'")


def _alter(cursor: duckdb.DuckDBPyConnection, tree: exp.Alter) -> str:
    target = tree.this
    kind = (tree.args.get("kind") or "").upper()
    if tree.args.get("exists") and not _exists(cursor, target):
        return "Statement executed successfully."
    if kind == "VIEW":
        for action in tree.args["actions"]:
            if isinstance(action, exp.AlterRename):
                _execute(cursor, [f"alter view {path_of(target)} rename to {quote(action.this.name)}"])
            elif isinstance(action, exp.AlterSet):
                _alter_set(cursor, target, action)
            elif isinstance(action, exp.Set) and action.args.get("unset"):
                _unset(cursor, target, [item.name.upper() for item in action.expressions])
            else:
                raise unsupported(tree.sql(dialect="snowflake"))
        return "Statement executed successfully."
    if kind != "TABLE":
        raise unsupported(f"ALTER {kind}")
    _read(cursor, target)
    for action in tree.args["actions"]:
        _alter_one(cursor, target, action)
    return "Statement executed successfully."


def _alter_one(cursor: duckdb.DuckDBPyConnection, target: exp.Table, action: exp.Expression) -> None:
    table = _read(cursor, target)
    names = [item.name for item in table.fields]
    if isinstance(action, exp.ColumnDef):
        new = _field(action)
        if action.args.get("exists"):
            if any(
                isinstance(
                    part.kind, (exp.DefaultColumnConstraint, exp.UniqueColumnConstraint, exp.PrimaryKeyColumnConstraint)
                )
                for part in action.args.get("constraints") or ()
            ):
                raise compilation(
                    2028,
                    "ADD COLUMN IF NOT EXISTS cannot be combined with a DEFAULT, AUTOINCREMENT, UNIQUE, PRIMARY KEY or FOREIGN KEY.",
                    "0A000",
                )
            if new.name in names:
                return
        if new.name in names:
            raise compilation(1430, f"column '{new.name}' already exists", "42601")
        if not new.nullable and new.default is None and _has_rows(cursor, table.path):
            raise compilation(
                2266,
                f"Non-nullable column '{new.name}' cannot be added to non-empty table '{target.name}' unless it has a non-null default value.",
                "42601",
            )
        if new.nullable and not text_length(new.type):
            _execute(
                cursor, [f"alter table {table.path} add column {_column_sql(new)}", _column_comment(table.path, new)]
            )
        else:
            kept = {name: quote(name) for name in names} | ({new.name: new.default} if new.default is not None else {})
            _rebuild(cursor, replace(table, fields=(*table.fields, new)), kept)
    elif isinstance(action, exp.Drop):
        dropped = [_name(item) for item in action.args.get("tables") or ()]
        for name in list(dropped):
            if name not in names and action.args.get("exists"):
                dropped.remove(name)
            else:
                _find(table, name)
        _rebuild(
            cursor,
            replace(
                table,
                fields=tuple(item for item in table.fields if item.name not in dropped),
                primary_key=tuple(name for name in table.primary_key if name not in dropped),
            ),
            {name: quote(name) for name in names if name not in dropped},
        )
    elif isinstance(action, exp.RenameColumn):
        old, new_name = _name(action.this), _name(action.args["to"])
        _find(table, old)
        if new_name in names:
            raise compilation(1430, f"column '{new_name}' already exists", "42601")
        fields = tuple(replace(item, name=new_name) if item.name == old else item for item in table.fields)
        key = tuple(new_name if name == old else name for name in table.primary_key)
        _rebuild(
            cursor,
            replace(table, fields=fields, primary_key=key),
            {new_name if name == old else name: quote(name) for name in names},
        )
    elif isinstance(action, exp.AlterColumn):
        _alter_column(cursor, table, target, action)
    elif isinstance(action, exp.AlterRename):
        new = action.this
        if new.args.get("db") and new.db != target.db:
            raise unsupported("ALTER TABLE RENAME TO another schema")
        _execute(cursor, [f"alter table {table.path} rename to {quote(_name(new))}"])
    elif isinstance(action, exp.AlterSet):
        _alter_set(cursor, target, action)
    elif isinstance(action, exp.Set) and action.args.get("unset"):
        _unset(cursor, target, [item.name.upper() for item in action.expressions])
    elif isinstance(action, exp.ClusterProperty):
        _set_comment(
            cursor,
            target,
            None,
            {"CLUSTER_BY": ", ".join(part.sql(dialect="snowflake") for part in action.expressions)},
        )
    else:
        raise unsupported(f"ALTER TABLE {action.sql(dialect='snowflake')}")


def _unset(cursor: duckdb.DuckDBPyConnection, target: exp.Table, names: Sequence[str]) -> None:
    _set_comment(cursor, target, "" if "COMMENT" in names else None, dropped=names)


def _alter_set(cursor: duckdb.DuckDBPyConnection, target: exp.Table, action: exp.AlterSet) -> None:
    holder = exp.Create(
        properties=exp.Properties(
            expressions=[
                item.copy()
                for part in action.expressions
                for item in (part.expressions if isinstance(part, exp.Properties) else [part])
            ]
        )
    )
    comment, options = _properties(holder)
    _set_comment(cursor, target, comment, options)


def _alter_column(cursor: duckdb.DuckDBPyConnection, table: Table, target: exp.Table, action: exp.AlterColumn) -> None:
    item = _find(table, _name(action))
    if action.args.get("comment") is not None:
        _execute(cursor, [_column_comment(table.path, replace(item, comment=action.args["comment"].name))])
        return
    if (type_ := action.args.get("dtype")) is not None:
        new = replace(item, type=canonical(type_))
        _check_retype(item.name, item.type, new.type)
    elif action.args.get("allow_null") is not None:
        new = replace(item, nullable=bool(action.args["allow_null"]))
    elif action.args.get("drop"):
        new = replace(item, default=None, written_default=None)
    else:
        raise unsupported(f"ALTER TABLE {action.sql(dialect='snowflake')}")
    fields = tuple(new if other.name == item.name else other for other in table.fields)
    _rebuild(cursor, replace(table, fields=fields), {other.name: f"{quote(other.name)}" for other in fields})
