"""CREATE, ALTER, DROP and COMMENT of tables and views, and what SHOW and DESCRIBE read of them.

DuckDB's catalogue is the catalogue; `shapes` says what stands in it.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import duckdb
from sqlglot import exp

from local_account import shapes
from local_account.errors import SqlError, compilation, unsupported
from local_account.rewrites import translate
from local_account.rewrites.kinds import kind as kind_of
from local_account.rewrites.kinds import kind_of_type
from local_account.shapes import HIDDEN, Field, Table, execute, path_of, quote, rebuild, text
from local_account.types import Column, canonical, canonical_of, duckdb_type, grows, narrows, text_length

Cursor = duckdb.DuckDBPyConnection
Describe = Callable[[exp.Expression], tuple[str, list[Column]]]
DONE = "Statement executed successfully."

_version = 0
_columns: dict[tuple[int, str], tuple[tuple[str, str], ...]] = {}


def changed() -> None:
    """Forgets what is known of tables.

    To be called when definitions are committed, databases attached or detached, and schemas dropped.
    """
    global _version
    _version += 1
    _columns.clear()


def version() -> int:
    """A number that grows with every definition."""
    return _version


# --- reading


def columns_of(cursor: Cursor, table: exp.Expression) -> tuple[tuple[str, str], ...]:
    """Names and DuckDB's types of a table's columns, without the hidden ones."""
    table = _table(table)
    key = (_version, path_of(table))
    found = _columns.get(key)
    if found is None:
        found = _columns[key] = columns_read(cursor, table)
    return found


def columns_read(cursor: Cursor, table: exp.Table) -> tuple[tuple[str, str], ...]:
    """As `columns_of`, asked anew: for tables that a session has registered."""
    relation = cursor.sql(f"select * from {path_of(table)} limit 0")
    described = zip(relation.columns, relation.types, strict=True)
    return tuple((name, str(type_)) for name, type_ in described if name not in HIDDEN)


def describe_table(cursor: Cursor, database: str, schema: str, name: str) -> list[dict]:
    """The columns of a table or view: name, type, kind, null?, default, primary key, comment.

    Raises SqlError 2003 when there is none.
    """
    table = exp.table_(*(exp.to_identifier(part, quoted=True) for part in (name, schema, database)))
    kind, about = shapes.find(cursor, table)
    if kind is None:
        raise shapes.missing("Table", table)
    return [
        {
            "name": item.name,
            "type": item.type,
            "kind": "COLUMN",
            "null?": "Y" if item.nullable else "N",
            "default": item.written_default,
            "primary key": "Y" if item.name in about.get("primary_key", ()) else "N",
            "comment": item.comment or about.get("columns", {}).get(item.name),
        }
        for item in shapes.fields_of(cursor, table)
        if not item.is_hidden
    ]


def list_tables(cursor: Cursor, database: str) -> list[dict]:
    """Tables and views of a database.

    Each with schema, name, kind (TABLE or VIEW), comment, rows (None of views), created_on (aware, or None), text (of
    views), options and primary_key.
    """
    return [
        {
            "schema": schema,
            "name": name,
            "kind": kind,
            "comment": said.get("comment"),
            "rows": rows,
            "created_on": datetime.fromisoformat(said["created_on"]) if "created_on" in said else None,
            "text": said.get("text") or sql,
            "options": said.get("options", {}),
            "primary_key": said.get("primary_key", []),
        }
        for kind, schema, name, said, rows, sql in shapes.objects(cursor, database)
    ]


# --- running


def run(
    cursor: Cursor, tree: exp.Expression, describe: Describe, now: datetime, *, in_transaction: bool = False
) -> str:
    """Runs a definition, all of it or nothing, and answers Snowflake's status line.

    `describe` gives a query's text for DuckDB and its columns.
    """
    if not in_transaction:
        cursor.begin()
    try:
        status = _run(cursor, tree, describe, now.isoformat())
        if not in_transaction:
            cursor.commit()
        return status
    except BaseException:
        if not in_transaction:
            cursor.rollback()
        raise
    finally:
        changed()


def _run(cursor: Cursor, tree: exp.Expression, describe: Describe, now: str) -> str:
    kind = str(tree.args.get("kind") or "").upper()
    if kind not in ("TABLE", "VIEW", "COLUMN"):
        raise unsupported(f"{type(tree).__name__.upper()} {kind}")
    if isinstance(tree, exp.Create):
        return (_create_table if kind == "TABLE" else _create_view)(cursor, tree, describe, now)
    if isinstance(tree, exp.Drop):
        return _drop(cursor, tree, kind)
    if isinstance(tree, exp.Comment):
        return _comment_on(cursor, tree, kind)
    return _alter(cursor, tree, kind)


def _table(node: exp.Expression) -> exp.Table:
    return node.this if isinstance(node, exp.Schema) else node


def _name(node: exp.Expression) -> str:
    identifier = node if isinstance(node, exp.Identifier) else node.this
    return identifier.name if identifier.args.get("quoted") else identifier.name.upper()


# --- what a statement defines

_UNENFORCED = (exp.UniqueColumnConstraint, exp.Reference, exp.ForeignKey)
_KEY = exp.PrimaryKeyColumnConstraint


def _constraints(node: exp.ColumnDef) -> list[exp.Expression]:
    return [constraint.kind for constraint in node.args.get("constraints") or ()]


def _field(node: exp.ColumnDef) -> Field:
    if position := node.args.get("position"):
        raise compilation(1003, f"syntax error: unexpected '{position.sql('snowflake')}': a new column is the last.")
    if node.args.get("kind") is None:
        raise compilation(1003, f"Column '{_name(node)}' has no type.")
    found = Field(_name(node), canonical(node.args["kind"]))
    for kind in _constraints(node):
        if isinstance(kind, exp.NotNullColumnConstraint):
            found = replace(found, nullable=bool(kind.args.get("allow_null")))
        elif isinstance(kind, exp.CommentColumnConstraint):
            found = replace(found, comment=kind.this.name)
        elif isinstance(kind, exp.DefaultColumnConstraint):
            _require_default(_name(node), kind.this.unnest(), node.args["kind"])
            found = replace(found, default=translate(kind.this), written_default=kind.this.sql(dialect="snowflake"))
        elif isinstance(kind, _KEY):
            found = replace(found, nullable=False)
        elif isinstance(kind, exp.GeneratedAsIdentityColumnConstraint) and kind.this:
            raise unsupported("GENERATED ALWAYS AS IDENTITY", "write IDENTITY or AUTOINCREMENT")
        elif isinstance(kind, (exp.AutoIncrementColumnConstraint, exp.GeneratedAsIdentityColumnConstraint)):
            start, step = (int(kind.args[name].name) if kind.args.get(name) else 1 for name in ("start", "increment"))
            written = f"IDENTITY START {start} INCREMENT {step} NOORDER"
            found = replace(found, identity=(start, step), written_default=written)
        elif not isinstance(kind, _UNENFORCED):
            raise unsupported(f"column constraint {kind.sql(dialect='snowflake')}")
    return found


def _require_default(name: str, default: exp.Expression, type_: exp.DataType) -> None:
    """A literal is not cast: it has the type of its column."""
    value = default.this if isinstance(default, exp.Neg) else default
    own = "boolean" if isinstance(value, exp.Boolean) else kind_of(value) if isinstance(value, exp.Literal) else None
    if own and own != {"float": "number"}.get(found := kind_of_type(type_) or "", found):
        raise compilation(
            2023,
            f"Default value data type does not match data type for column {name}: write {default.sql('snowflake')}::{type_.sql('snowflake').lower()}.",
        )


def _definition(tree: exp.Create, now: str) -> Table:
    """The table that a CREATE TABLE describes; columns without a type wait for those of a query."""
    fields, key = [], []
    for item in tree.this.expressions if isinstance(tree.this, exp.Schema) else ():
        if isinstance(item, exp.ColumnDef):
            fields.append(_field(item))
            key += [_name(item)] if any(isinstance(kind, _KEY) for kind in _constraints(item)) else []
        elif isinstance(item, exp.Identifier) and tree.expression is not None:
            fields.append(Field(_name(item), ""))
        elif isinstance(item, (exp.PrimaryKey, exp.Constraint)):
            for part in item.expressions if isinstance(item, exp.Constraint) else [item]:
                key += [_name(column) for column in part.expressions] if isinstance(part, exp.PrimaryKey) else []
        elif not isinstance(item, _UNENFORCED):
            raise unsupported(f"table constraint {item.sql(dialect='snowflake')}")
    names = [item.name for item in fields]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise compilation(2025, f"duplicate column name '{twice}'", "42S21")
    fields = [replace(item, nullable=False) if item.name in key else item for item in fields]
    comment, options = _properties(tree.args.get("properties"))
    return Table(path_of(_table(tree.this)), tuple(fields), comment, tuple(key), options, now)


_OPTIONS: dict[str, type] = {"CHANGE_TRACKING": bool, "ENABLE_SCHEMA_EVOLUTION": bool}
_OPTIONS |= {"DATA_RETENTION_TIME_IN_DAYS": int, "MAX_DATA_EXTENSION_TIME_IN_DAYS": int}
_FLAGS = {exp.TransientProperty: "TRANSIENT", exp.TemporaryProperty: "TEMPORARY", exp.SecureProperty: "SECURE"}


def _properties(properties: exp.Properties | None) -> tuple[str | None, dict]:
    """The comment and the other options."""
    comment, options = None, dict[str, Any]()
    for item in properties.expressions if properties else ():
        if isinstance(item, exp.SchemaCommentProperty):
            comment = item.this.name
        elif flag := _FLAGS.get(type(item)):
            options[flag] = True
        elif isinstance(item, exp.ClusterProperty):
            options["CLUSTER_BY"] = ", ".join(part.sql(dialect="snowflake") for part in item.expressions)
        elif type(item) is exp.Property and (name := item.name.upper()) in _OPTIONS:
            options[name] = item.args["value"].to_py() if _is_plain(item) else item.args["value"].name
            if not isinstance(options[name], _OPTIONS[name]):
                raise compilation(
                    1008, f"invalid value [{item.args['value'].sql('snowflake')}] for parameter '{name}'", "22023"
                )
        elif not isinstance(item, (exp.CopyGrantsProperty, exp.LikeProperty)):
            raise unsupported(f"property {item.sql(dialect='snowflake')}")
    return comment, options


def _is_plain(item: exp.Property) -> bool:
    return isinstance(item.args["value"], (exp.Literal, exp.Boolean))


# --- CREATE


def _present(cursor: Cursor, tree: exp.Create, kind: str) -> tuple[bool, str | None]:
    """Whether an object of the kind and name exists, and the answer if that is the end of the matter."""
    target = _table(tree.this)
    found, _ = shapes.find(cursor, target)
    if found and found != kind:
        raise compilation(2203, f"Object '{target.name}' already exists as {found}.", "42710")
    if found and tree.args.get("exists"):
        return True, f"{target.name} already exists, statement succeeded."
    if found and not (tree.args.get("replace") or tree.meta.get("or_alter")):
        raise compilation(2002, f"Object '{target.name}' already exists.", "42710")
    return bool(found), None


def _create_table(cursor: Cursor, tree: exp.Create, describe: Describe, now: str) -> str:
    target = _table(tree.this)
    present, answer = _present(cursor, tree, "TABLE")
    if answer:
        return answer
    like = tree.find(exp.LikeProperty)
    clone = tree.args.get("clone")
    source, fill = None, None
    if like or clone:
        source = (like or clone).this
        table = replace(shapes.read(cursor, source).visible(), path=path_of(target), created_on=now)
        if clone:
            names = ", ".join(quote(name) for name in table.names)
            fill = f"insert into {table.path} ({names}) select {names} from {path_of(source)}"
    elif tree.expression is not None:
        table, fill = _of_query(tree, describe, now)
    else:
        table = _definition(tree, now)
    if not (like or clone):
        _require_keys(cursor, tree, table)
    if tree.meta.get("or_alter") and (like or clone or fill):
        raise unsupported("CREATE OR ALTER TABLE with a source")
    if tree.meta.get("or_alter") and present:
        _become(cursor, shapes.read(cursor, target), table)
    elif present and fill:
        execute(cursor, _replaced(table, fill))
    else:
        drop = [f"drop table {table.path}"] if present else []
        execute(cursor, [*drop, *table.create(), *([fill] if fill else [])])
    return f"Table {target.name} successfully created."


def _require_keys(cursor: Cursor, tree: exp.Create, table: Table) -> None:
    """Keys are not enforced, but one is the primary one, and their columns and what they refer to are there."""
    if len(list(tree.this.find_all(exp.PrimaryKey, _KEY))) > 1:
        raise compilation(1003, "syntax error: a table has one PRIMARY KEY.")
    for key in tree.this.find_all(exp.PrimaryKey, exp.ForeignKey, exp.UniqueColumnConstraint):
        if isinstance(key.parent, (exp.Schema, exp.Constraint)):  # else it is of the column beside it
            _require_columns(key.this if isinstance(key.this, exp.Schema) else key, table.names)
    for reference in tree.this.find_all(exp.Reference):
        target = _table(reference.this)
        names = table.names if path_of(target) == table.path else shapes.read(cursor, target).names
        if isinstance(reference.this, exp.Schema):
            _require_columns(reference.this, names)


def _require_columns(listed: exp.Expression, names: Sequence[str]) -> None:
    for column in listed.expressions:
        if _name(column) not in names:
            raise compilation(904, f"error line 1 at position 0\ninvalid identifier '{_name(column)}'")


def _replaced(table: Table, fill: str) -> list[str]:
    """The new table is filled before the old one goes: it may be filled from that."""
    scratch, name = shapes.scratch(table.path)
    filled = fill.replace(f"insert into {table.path} ", f"insert into {scratch} ", 1)
    renamed = f"alter table {scratch} rename to {quote(name)}"
    return [*replace(table, path=scratch).create(), filled, f"drop table {table.path}", renamed]


def _of_query(tree: exp.Create, describe: Describe, now: str) -> tuple[Table, str]:
    """CREATE TABLE AS: the query's types become declared types, so that the table takes what Snowflake's would."""
    declared = _definition(tree, now)
    sql, columns = describe(tree.expression)
    if not declared.fields:
        _require_names(tree.expression)
    elif len(declared.fields) != len(columns):
        raise compilation(2026, "Invalid column definition list", "42601")
    given = declared.fields or tuple(Field(column.name, "") for column in columns)
    fields = tuple(
        replace(item, type=item.type or canonical_of(column)) for item, column in zip(given, columns, strict=True)
    )
    table = replace(declared, fields=fields)
    return table, f"insert into {table.path} ({', '.join(quote(name) for name in table.names)}) {sql}"


def _require_names(query: exp.Expression) -> None:
    """A table or view needs a name for each column: an expression has none of its own."""
    while isinstance(query, (exp.SetOperation, exp.Subquery)):
        query = query.this
    for item in query.expressions if isinstance(query, exp.Select) else ():
        if not item.is_star and not isinstance(item, (exp.Alias, exp.Column)):
            raise compilation(2022, "Missing column specification", "42601")


def _become(cursor: Cursor, old: Table, new: Table) -> None:
    """CREATE OR ALTER TABLE: keeps the rows, adds and drops columns.

    Renaming, reordering and narrowing are refused, as Snowflake refuses them.
    """
    shared = [name for name in old.visible().names if name in new.names]
    if new.names[: len(shared)] != shared:
        raise unsupported("CREATE OR ALTER TABLE with another order of columns", "new columns come last")
    fields = []
    for item in new.fields:
        if item.name not in old.names:
            _require_free(old, item.name)
        if item.name in shared:
            before = old.find(item.name)
            _check_type(item.name, before.type, item.type)
            if item.written_default not in (None, before.written_default):
                message = f"Unsupported feature 'CREATE OR ALTER TABLE that changes or adds the default of column {item.name}'"
                raise SqlError(2, f"{message}: only dropping it is allowed.", "0A000")
            fields.append(replace(item, default=before.default, identity=None) if item.identity else item)
        else:
            _check_not_null(cursor, old.path, item)
            fields.append(item)
    hidden = tuple(item for item in old.fields if item.is_hidden)
    kept = {name: f"{quote(name)}::{duckdb_type(new.find(name).type)}" for name in shared}
    kept |= {item.name: quote(item.name) for item in hidden}
    kept |= {item.name: item.default for item in fields if item.name not in shared and item.default is not None}
    rebuild(cursor, replace(new, fields=(*fields, *hidden), created_on=old.created_on), kept)


def _check_not_null(cursor: Cursor, path: str, item: Field) -> None:
    if not item.nullable and item.default is None and not item.identity and not shapes.is_empty(cursor, path):
        message = f"Non-nullable column '{item.name}' cannot be added to a non-empty table without a default value (rule SET-35)."
        raise compilation(2266, message, "42601")


def _check_type(name: str, old: str, new: str) -> None:
    if old != new and not grows(old, new):
        raise compilation(2108, f"cannot change column {name} from type {old} to {new}", "22000")


def _create_view(cursor: Cursor, tree: exp.Create, describe: Describe, now: str) -> str:
    target = _table(tree.this)
    _, answer = _present(cursor, tree, "VIEW")
    if answer:
        return answer
    if tree.expression is None or tree.find(exp.LikeProperty):
        raise compilation(1003, "syntax error: unexpected '<EOF>': AS and a query are missing.")
    if tree.expression.find(exp.Placeholder):
        raise compilation(2210, "Bind variables not allowed in view and UDF definitions.", "42601")
    sql, columns = describe(tree.expression)
    given = tree.this.expressions if isinstance(tree.this, exp.Schema) else ()
    if not given:
        _require_names(tree.expression)
    elif len(given) != len(columns):
        raise compilation(2026, "Invalid column definition list", "42601")
    names = [_name(item) for item in given] or [column.name for column in columns]
    if twice := [name for name in names if names.count(name) > 1]:
        raise compilation(2025, f"duplicate column name '{twice[0]}'", "42S21")
    comment, options = _properties(tree.args.get("properties"))
    said = {
        "comment": comment,
        "options": options,
        "columns": {
            _name(item): kind.this.name
            for item in given
            if isinstance(item, exp.ColumnDef)
            for kind in _constraints(item)
            if isinstance(kind, exp.CommentColumnConstraint)
        },
        "text": tree.meta.get("text") or tree.sql(dialect="snowflake"),
        "created_on": now,
    }
    path = path_of(target)
    if tree.expression.is_star:  # a stream would add hidden columns
        own = ", ".join(text(column.name) for column in columns)
        sql = f"select columns(c -> c not in {HIDDEN} or c in ({own})) from ({sql})"
    execute(
        cursor,
        [
            f"create or replace view {path} ({', '.join(map(quote, names))}) as {sql}",
            shapes.comment_sql("view", path, said),
        ],
    )
    return f"View {target.name} successfully created."


# --- DROP, COMMENT


def _drop(cursor: Cursor, tree: exp.Drop, kind: str) -> str:
    target = tree.args["tables"][0] if tree.args.get("tables") else tree.this
    found, _ = shapes.find(cursor, target)
    if found != kind:
        if tree.args.get("exists"):
            return f"Drop statement executed successfully ({target.name} already dropped)."
        if found:
            raise compilation(2203, f"Object found is of type '{found}', not specified type '{kind}'.", "42710")
        raise shapes.missing(kind.capitalize(), target)
    path = path_of(target)
    counters = [shapes.sequence(path, name) for name, _ in columns_of(cursor, target)] if kind == "TABLE" else []
    execute(cursor, [f"drop {kind} {path}", *(f"drop sequence if exists {counter}" for counter in counters)])
    return f"{target.name} successfully dropped."


def _comment_on(cursor: Cursor, tree: exp.Comment, kind: str) -> str:
    target, said = tree.this, tree.expression.name
    if tree.args.get("exists") and shapes.find(cursor, target)[0] is None:
        return DONE
    if kind == "COLUMN":
        item = shapes.read(cursor, target).find(_name(tree.args["column"]))
        execute(cursor, [shapes.column_comment(path_of(target), replace(item, comment=said))])
    else:
        _tell(cursor, target, said)
    return DONE


def _tell(
    cursor: Cursor, target: exp.Table, comment: str | None, options: dict | None = None, unset: Sequence[str] = ()
) -> None:
    """Changes what a table or view says of itself: its comment, if one is given, and its options."""
    kind, said = shapes.find(cursor, target)
    if kind is None:
        raise shapes.missing("Object", target)
    if comment is not None or "COMMENT" in unset:
        said["comment"] = comment
    options = {**said.get("options", {}), **(options or {})}
    said["options"] = {name: value for name, value in options.items() if name not in unset}
    execute(cursor, [shapes.comment_sql(kind, path_of(target), said)])


# --- ALTER


def _alter(cursor: Cursor, tree: exp.Alter, kind: str) -> str:
    target = tree.this
    found, _ = shapes.find(cursor, target)
    if found is None and tree.args.get("exists"):
        return DONE
    if found != kind:
        raise shapes.missing(kind.capitalize(), target)
    for action in tree.args["actions"]:
        if isinstance(action, exp.AlterRename):
            _rename(cursor, target, action.this, kind)
        elif isinstance(action, exp.AlterSet):
            given = exp.Properties(expressions=[item for part in action.expressions for item in part.expressions])
            _tell(cursor, target, *_properties(given))
        elif isinstance(action, exp.Set) and action.args.get("unset"):
            _tell(cursor, target, None, unset=[item.name.upper() for item in action.expressions])
        elif kind == "TABLE":
            _alter_table(cursor, shapes.read(cursor, target), action)
        else:
            raise unsupported(f"ALTER VIEW {action.sql(dialect='snowflake')}")
    return DONE


def _rename(cursor: Cursor, target: exp.Table, new: exp.Table, kind: str) -> None:
    if new.args.get("db") and new.db != target.db:
        raise unsupported(f"ALTER {kind} RENAME TO another schema")
    if "(temporary" in target.name:
        raise unsupported(f"ALTER {kind} RENAME of a temporary one")
    execute(cursor, [f"alter {kind} {path_of(target)} rename to {quote(_name(new))}"])


def _alter_table(cursor: Cursor, table: Table, action: exp.Expression) -> None:
    if isinstance(action, exp.ColumnDef):
        _add(cursor, table, action)
    elif isinstance(action, exp.Drop):
        names = [_name(item) for item in action.args.get("tables") or ()]
        dropped = [name for name in names if name in table.names or not action.args.get("exists")]
        for name in dropped:
            table.find(name)
        left = tuple(item for item in table.fields if item.name not in dropped)
        key = tuple(name for name in table.primary_key if name not in dropped)
        rebuild(cursor, replace(table, fields=left, primary_key=key), {item.name: quote(item.name) for item in left})
    elif isinstance(action, exp.RenameColumn):
        _rename_column(cursor, table, _name(action.this), _name(action.args["to"]))
    elif isinstance(action, exp.AlterColumn):
        _alter_column(cursor, table, action)
    elif isinstance(action, exp.ClusterProperty):
        _, options = _properties(exp.Properties(expressions=[action.copy()]))
        _tell(cursor, exp.to_table(table.path, dialect="duckdb"), None, options)
    else:
        raise unsupported(f"ALTER TABLE {action.sql(dialect='snowflake')}")


_NOT_IF_NOT_EXISTS = (
    exp.DefaultColumnConstraint,
    exp.AutoIncrementColumnConstraint,
    exp.GeneratedAsIdentityColumnConstraint,
    exp.UniqueColumnConstraint,
    _KEY,
    exp.Reference,
)


def _require_free(table: Table, name: str) -> None:
    """The name of a new column; streams tell rows apart by DuckDB's ROWID."""
    if name in table.names:
        raise compilation(1430, f"column '{name}' already exists", "42601")
    if name.upper() == "ROWID" and any(item.is_hidden for item in table.fields):
        raise unsupported("a column ROWID of a table with streams")


def _add(cursor: Cursor, table: Table, action: exp.ColumnDef) -> None:
    new = _field(action)
    if action.args.get("exists"):
        if any(isinstance(kind, _NOT_IF_NOT_EXISTS) for kind in _constraints(action)):
            message = "ADD COLUMN IF NOT EXISTS takes no DEFAULT, AUTOINCREMENT, UNIQUE, PRIMARY KEY or FOREIGN KEY."
            raise compilation(2028, message, "0A000")
        if new.name in table.names:
            return
    default = next((kind.this for kind in _constraints(action) if isinstance(kind, exp.DefaultColumnConstraint)), None)
    if default and not isinstance(default.unnest(), (exp.Literal, exp.Neg, exp.Null, exp.Boolean)):
        raise compilation(
            2263,
            f"The default of a new column must be a literal, '{default.sql(dialect='snowflake')}' is none (rule SET-33).",
        )
    _require_free(table, new.name)
    _check_not_null(cursor, table.path, new)
    if new.identity and not shapes.is_empty(cursor, table.path):
        raise compilation(
            2263, f"Cannot add column '{new.name}' with non-constant default to a non-empty table (rule SET-33)."
        )
    if new.nullable and not new.identity and not text_length(new.type):
        added = f"alter table {table.path} add column {new.sql()}"
        execute(cursor, [added, shapes.column_comment(table.path, new)])
    else:  # DuckDB adds no columns with conditions
        kept = {name: quote(name) for name in table.names}
        kept |= {new.name: new.default} if new.default is not None else {}
        rebuild(cursor, replace(table, fields=(*table.fields, new)), kept)


def _rename_column(cursor: Cursor, table: Table, old: str, new: str) -> None:
    table.find(old)
    _require_free(table, new)
    fields = tuple(replace(item, name=new) if item.name == old else item for item in table.fields)
    key = tuple(new if name == old else name for name in table.primary_key)
    kept = {new if name == old else name: quote(name) for name in table.names}
    rebuild(cursor, replace(table, fields=fields, primary_key=key), kept)


def _alter_column(cursor: Cursor, table: Table, action: exp.AlterColumn) -> None:
    item = table.find(_name(action))
    if (comment := action.args.get("comment")) is not None:
        execute(cursor, [shapes.column_comment(table.path, replace(item, comment=comment.name))])
        return
    if (type_ := action.args.get("dtype")) is not None:
        new = replace(item, type=canonical(type_))
        if not narrows(item.type, new.type):  # the values have to fit: the rebuilding tells
            _check_type(item.name, item.type, new.type)
    elif (allow_null := action.args.get("allow_null")) is not None:
        new = replace(item, nullable=bool(allow_null))
    elif action.args.get("drop"):
        new = replace(item, default=None, written_default=None)
    else:
        raise unsupported(f"ALTER TABLE {action.sql(dialect='snowflake')}")
    fields = tuple(new if other.name == item.name else other for other in table.fields)
    rebuild(cursor, replace(table, fields=fields), {name: quote(name) for name in table.names})
