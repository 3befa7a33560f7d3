"""Variants, objects and arrays: JSON text in DuckDB."""

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from sqlglot import exp

from local_account.errors import SqlError, compilation
from local_account.rewrites.kinds import (
    Type,
    call,
    cast,
    kind,
    kind_of_type,
    literal,
    moment_of,
    read,
    rule,
    text_of,
    variant_of,
)


@rule(exp.JSONExtract)
def path(node: exp.JSONExtract) -> exp.Expression:
    """`v:a = 1` and `v:a || 'x'`: DuckDB's arrow binds weaker than most operators, so a path stands in parentheses."""
    _require_variant(node.this)
    return node if isinstance(node.parent, exp.Paren) else _path(node)


def _require_variant(value: exp.Expression) -> None:
    """Snowflake looks for members in variants, objects and arrays only; DuckDB would read a text as JSON."""
    if (found := kind(value)) not in ("variant", None):
        raise compilation(1044, f"Invalid argument types for function 'GET': ({found.upper()}, VARCHAR)", "42P13")


def _path(node: exp.JSONExtract) -> exp.Expression:
    value = node.this
    if isinstance(value, exp.Paren) and isinstance(value.this, exp.JSONExtract):
        node.set("this", value)
    if isinstance(node.expression, (exp.JSONPath, exp.Literal)):
        found = exp.Paren(this=exp.JSONExtract(this=node.this, expression=node.expression))
        found.type = "variant"
        return found
    return call("sf_get", node.this, node.expression, type="variant")


@rule(exp.Bracket, exp.GetExtract)
def member(node: exp.Expression) -> exp.Expression:
    """`v['key']`, `v[0]`, GET(v, 'key'): keys are not paths, and Snowflake counts from 0."""
    key = node.expressions[0] if isinstance(node, exp.Bracket) else node.expression
    if isinstance(node, exp.Bracket) and len(node.expressions) != 1:
        return node
    _require_variant(node.this)
    if isinstance(key, exp.Literal):
        step = exp.JSONPathKey(this=key.name) if key.is_string else exp.JSONPathSubscript(this=int(key.name))
        found = exp.Paren(
            this=exp.JSONExtract(this=node.this, expression=exp.JSONPath(expressions=[exp.JSONPathRoot(), step]))
        )
        found.type = "variant"
        return found
    return call("sf_get", node.this, key, type="variant")


@rule(exp.Cast, exp.TryCast)
def casts(node: exp.Expression) -> exp.Expression:
    """A variant's string becomes text without its quotes, times become text in Snowflake's format; DuckDB's casts keep
    quotes and drop the fraction. A text too long for its type is an error, and NULL of a TRY_CAST."""
    source, target = kind(node.this), kind_of_type(node.to)
    if isinstance(node.this, exp.Null):
        return node
    if target == "text":
        text, length = text_of(node.this), node.to.meta.get("length")
        fit = "sf_try_fit" if isinstance(node, exp.TryCast) else "sf_fit"
        return call(fit, text, length, type="text") if length else text
    if target == "variant":
        value = variant_of(node.this) if source != "variant" else node.this
        function = {Type.OBJECT: "sf_to_object", Type.ARRAY: "sf_to_array"}.get(node.to.meta.get("written"))
        return call(function, value, type="json") if function else value
    if target in ("ntz", "tz"):
        moment = moment_of(node.this, target)
        return call("try", moment, type=node.to.this) if isinstance(node, exp.TryCast) else moment
    if target == "binary" and source == "text":  # in hexadecimal digits; DuckDB would take the letters
        return call("sf_try_unhex" if isinstance(node, exp.TryCast) else "sf_unhex", node.this, type=node.to.this)
    if source in ("text", "variant"):
        return read(text_of(node.this), node.to.sql("duckdb"), safe=isinstance(node, exp.TryCast))
    return node


# --- building


def _entry(key: exp.Expression, value: exp.Expression, *, keep_null: bool) -> exp.Expression:
    text = variant_of(value)
    if isinstance(value, exp.Null) or keep_null:
        text = literal("null") if isinstance(value, exp.Null) else call("coalesce", text, literal("null"))
    if isinstance(key, exp.Literal):
        prefix = literal(json.dumps(key.name, ensure_ascii=False) + ":")
    else:
        prefix = exp.DPipe(this=call("to_json", text_of(key)), expression=literal(":"))
    return exp.DPipe(this=prefix, expression=text)


def _object(entries: list[tuple[exp.Expression, exp.Expression]], *, keep_null: bool) -> exp.Expression:
    keys = [key.name for key, _ in entries if isinstance(key, exp.Literal)]
    if twice := next((key for key in keys if keys.count(key) > 1), None):
        raise SqlError(100_102, f"Duplicate field key '{twice}'", "22000")
    if len(keys) == len(entries):
        entries = sorted(entries, key=lambda entry: entry[0].name)
    parts = [
        _entry(key, value, keep_null=keep_null)
        for key, value in entries
        if keep_null or not isinstance(value, exp.Null)
    ]
    if not parts:
        return cast(literal("{}"), "json")
    body = call("concat_ws", literal(","), *parts)
    return cast(
        exp.Paren(this=exp.DPipe(this=exp.DPipe(this=literal("{"), expression=body), expression=literal("}"))), "json"
    )


@rule(exp.Struct)
def object_construct(node: exp.Struct) -> exp.Expression:
    """OBJECT_CONSTRUCT leaves out members that are NULL, and only those, and orders its keys; so the text is put
    together from the members that are there.

    A struct turned to JSON would keep NULL members, and dropping them by a merge patch would drop those of inner
    objects too.
    """
    entries = []
    for item in node.expressions:
        key = literal(item.this.name) if isinstance(item.this, exp.Identifier) else item.this
        entries.append((key, item.expression))
    return _object(entries, keep_null=False)


@rule(exp.JSONObject)
def object_construct_keep_null(node: exp.JSONObject) -> exp.Expression:
    """As `object_construct`, with JSON null for NULL."""
    if len(node.expressions) == 1 and node.expressions[0].is_star:
        return call("to_json", _row(node.expressions[0]), type="variant")
    return _object([(item.this, item.expression) for item in node.expressions], keep_null=True)


@rule(exp.StarMap)
def object_of_row(node: exp.StarMap) -> exp.Expression:
    """OBJECT_CONSTRUCT(*): the row as an object, without its NULLs."""
    return call("json_merge_patch", cast(literal("{}"), "json"), call("to_json", _row(node.this)), type="variant")


def _row(star: exp.Expression) -> exp.Expression:
    if isinstance(star, exp.Column) and star.args.get("table"):
        return exp.Column(this=star.args["table"].copy())
    return call("struct_pack", exp.var("*COLUMNS(*)"))


@rule(exp.ToVariant)
def to_variant(node: exp.ToVariant) -> exp.Expression:
    """TO_VARIANT; DuckDB's own type VARIANT has other text forms and is not used here."""
    return variant_of(node.this)


@rule(exp.ParseJSON)
def parse_json(node: exp.ParseJSON) -> exp.Expression:
    """PARSE_JSON drops white space and reads '' as NULL; a cast of DuckDB keeps one and refuses the other."""
    text = text_of(node.this)
    twice = _key_twice(text.name) if isinstance(text, exp.Literal) else None
    if node.args.get("safe"):
        return call("sf_try_parse_json", exp.Null() if twice else text, type="variant")
    if twice:
        raise SqlError(100_069, f'Error parsing JSON: duplicate object attribute "{twice}"', "22P02")
    return call(
        "json",
        text if isinstance(text, exp.Literal) and text.name else call("nullif", text, literal("")),
        type="variant",
    )


def _key_twice(text: str) -> str | None:
    """A key that an object has twice: Snowflake refuses it, DuckDB keeps both. To look would cost each row its time, so constants alone are looked at."""
    found: list[str] = []

    def members(pairs: list[tuple[str, Any]]) -> None:
        if len(dict(pairs)) < len(pairs):
            keys = [key for key, _ in pairs]
            found.extend(key for key in keys if keys.count(key) > 1)

    with suppress(ValueError):  # DuckDB says so
        json.loads(text, object_pairs_hook=members)
    return found[0] if found else None


# --- reading many paths


def parse_once(root: exp.Expression) -> None:
    """DuckDB parses a variant anew for each path that is read; with a list of paths it does so once, for all that are
    wanted as text and for all that are wanted as variants. Its optimizer then sees that the calls are one.

    It would also evaluate what a query filters by below the query that it reads, and so each list once for each of the
    filters: a limit that no table reaches keeps them above.
    """
    for select in root.find_all(exp.Select):
        reads: dict[tuple, list[exp.Expression]] = {}
        for name, clause in select.args.items():
            if name not in _CLAUSES:
                continue
            for part in clause if isinstance(clause, list) else [clause]:
                for node in _own(part):
                    if isinstance(node, (exp.JSONExtract, exp.JSONExtractScalar)) and _is_plain(node):
                        # What WHERE reads is read of many rows that nothing else is read of.
                        reads.setdefault((name == "where", type(node), node.this.sql()), []).append(node)
        together = [nodes for nodes in reads.values() if len({_path_text(node) for node in nodes}) > 1]
        if filtered := _filtered_above(select) if together else set():
            read = {id(node) for nodes in together for node in nodes}
            lists = {each.alias_or_name for each in select.expressions if any(id(node) in read for node in each.walk())}
            if not filtered <= lists or select.args.get("limit"):
                continue  # what else is filtered by had better be known below
            select.set("limit", exp.Limit(expression=literal(2**62)))
        for nodes in together:
            paths = list(dict.fromkeys(map(_path_text, nodes)))
            function = "json_extract" if isinstance(nodes[0], exp.JSONExtract) else "json_extract_string"
            for node in nodes:
                texts = exp.Array(expressions=[exp.var(path) for path in paths])
                place = paths.index(_path_text(node)) + 1
                node.replace(call("list_extract", call(function, node.this.copy(), texts), place))


_CLAUSES = {"expressions", "where", "group", "having", "qualify", "order", "distinct"}


def _own(part: exp.Expression | None) -> list[exp.Expression]:
    """The nodes below, without those of inner queries and lambdas."""
    inner = (exp.Query, exp.Lambda)
    return [] if part is None else list(part.walk(prune=lambda node: isinstance(node, inner)))


def _is_plain(node: exp.Expression) -> bool:
    return isinstance(node.this, exp.Column) and isinstance(node.expression, exp.JSONPath)


def _path_text(node: exp.Expression) -> str:
    return node.expression.sql(dialect="duckdb")


def _filtered_above(select: exp.Select) -> set[str]:
    """The columns of a query by which the queries that read it filter."""
    place = select.parent
    if isinstance(place, exp.CTE):
        sources = [
            table for table in place.parent.parent.find_all(exp.Table) if table.name == place.alias and not table.db
        ]
    else:
        sources = [place] if isinstance(place, exp.Subquery) and isinstance(place.parent, (exp.From, exp.Join)) else []
    found = set()
    for source in sources:
        reader = source.parent_select
        for node in _own(reader and reader.args.get("where")):
            if isinstance(node, exp.Column) and node.table in ("", source.alias_or_name):
                found.add(node.name)
    return found & set(select.named_selects)


# --- comparing


@rule(exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ)
def comparison(node: exp.Expression) -> exp.Expression:
    """Snowflake compares a variant by its value; DuckDB compares JSON as text, and refuses to compare it with anything
    else."""
    left, right = kind(node.this), kind(node.expression)
    if "variant" not in (left, right) or isinstance(node.parent, (exp.Update, exp.SetItem, exp.PropertyEQ)):
        return node
    node.set("this", comparable(node.this, right))
    node.set("expression", comparable(node.expression, left))
    return node


def comparable(value: exp.Expression, other: str | None) -> exp.Expression:
    """A value in the form in which it meets one of the kind `other`: variants become that kind, or both become keys of
    order."""
    own = kind(value)
    if isinstance(value, exp.Null) or own not in ("variant", None):
        return value
    if own is None or other in ("variant", None):
        return call("sf_key", variant_of(value))
    if other in ("ntz", "tz"):
        return moment_of(value, other)
    type_ = {"number": "decimal(38, 12)", "float": "double", "boolean": "boolean", "date": "date", "time": "time"}.get(
        other
    )
    return cast(text_of(value), type_) if type_ else text_of(value)


@rule(exp.In, exp.Between)
def comparison_with_several(node: exp.Expression) -> exp.Expression:
    """As `comparison`, for IN and BETWEEN."""
    query = node.args.get("query")
    if query is not None:
        if kind(node.this) == "variant" and kind(query) != "variant":
            node.set("this", comparable(node.this, kind(query) or "text"))
        return node
    others = node.expressions if isinstance(node, exp.In) else [node.args["low"], node.args["high"]]
    kinds = {kind(other) for other in others if not isinstance(other, exp.Null)}
    if "variant" not in {kind(node.this), *kinds}:
        return node
    if kind(node.this) == "variant" and len(kinds) == 1 and not kinds & {"variant", None}:
        node.set("this", comparable(node.this, kinds.pop()))
        return node
    for value in [node.this, *others]:
        value.replace(call("sf_key", variant_of(value.copy())))
    return node


@rule(exp.Min, exp.Max)
def extremes(node: exp.Expression) -> exp.Expression:
    """The greatest of variants is so by value; of DuckDB's JSON by text."""
    if kind(node.this) != "variant":
        return node
    return call(
        "arg_max" if isinstance(node, exp.Max) else "arg_min",
        node.this,
        call("sf_key", node.this.copy()),
        type="variant",
    )


@rule(exp.Ordered)
def order(node: exp.Ordered) -> exp.Expression:
    """As `extremes`, for ORDER BY."""
    value, select = node.this, node.parent and node.parent.parent
    if isinstance(value, exp.Literal) and value.is_int and isinstance(select, exp.Select) and not select.is_star:
        chosen = select.expressions[int(value.name) - 1 : int(value.name)]
        if chosen and kind(chosen[0]) == "variant" and not select.args.get("distinct"):
            node.set("this", call("sf_key", chosen[0].unalias().copy()))
    elif kind(value) == "variant":
        node.set("this", call("sf_key", value))
    return node


@rule(exp.Where, exp.Having, exp.Qualify, exp.And, exp.Or, exp.Not, exp.If)
def conditions(node: exp.Expression) -> exp.Expression:
    """A variant that holds true or false is a condition; DuckDB's JSON is none."""
    for name in ("this", "expression"):
        value = node.args.get(name)
        if isinstance(value, exp.Expression) and kind(value) == "variant":
            node.set(name, cast(text_of(value), "boolean"))
    return node


# --- text of variants where text is wanted

_TEXT_ARGUMENTS = (
    exp.Upper, exp.Lower, exp.Trim, exp.Like, exp.ILike, exp.RegexpLike, exp.RegexpReplace, exp.RegexpExtract,
    exp.Split, exp.SplitPart, exp.Substring,
    exp.Length, exp.Replace, exp.StartsWith, exp.Contains, exp.MD5, exp.Left, exp.Right, exp.Initcap, exp.Reverse,
    exp.Pad, exp.SHA, exp.SHA2,
)  # fmt: skip


@rule(*_TEXT_ARGUMENTS)
def text_arguments(node: exp.Expression) -> exp.Expression:
    """Functions of text take a variant's string without its quotes."""
    for name in ("this", "expression"):
        value = node.args.get(name)
        if isinstance(value, exp.Expression) and kind(value) == "variant":
            node.set(name, text_of(value))
    return node


@rule(exp.DPipe, exp.Concat, exp.ConcatWs)
def concatenation(node: exp.Expression) -> exp.Expression:
    """Snowflake concatenates values in its own formats of text, and NULL with anything is NULL (sqlglot sees to
    that)."""

    def part(value: exp.Expression) -> exp.Expression:
        return value if kind(value) in ("text", "number") else text_of(value)

    if isinstance(node, exp.DPipe):
        node.set("this", part(node.this))
        node.set("expression", part(node.expression))
    else:
        node.set("expressions", [part(value) for value in node.expressions])
    return node


@rule(exp.Coalesce, exp.If, exp.Case)
def mixed_results(node: exp.Expression) -> exp.Expression:
    """Where one result is a variant, Snowflake makes variants of the others; DuckDB would read their text as JSON."""
    if isinstance(node, exp.Coalesce):
        slots = [(node, "this", None), *((node, "expressions", index) for index in range(len(node.expressions)))]
    elif isinstance(node, exp.Case):
        slots = [(branch, "true", None) for branch in node.args["ifs"]] + (
            [(node, "default", None)] if node.args.get("default") else []
        )
    elif isinstance(node.parent, exp.Case):
        return node
    else:
        slots = [(node, "true", None)] + ([(node, "false", None)] if node.args.get("false") else [])
    values = [owner.args[name] if index is None else owner.args[name][index] for owner, name, index in slots]
    kinds = {kind(value) for value in values if not isinstance(value, exp.Null)}
    if "variant" not in kinds or kinds == {"variant"}:
        return node
    for (owner, name, index), value in zip(slots, values, strict=True):
        new = variant_of(value)
        if new is not value:
            owner.set(name, new) if index is None else owner.set(
                name, [*owner.args[name][:index], new, *owner.args[name][index + 1 :]]
            )
    return node


# --- types


@rule(exp.Typeof)
def typeof(node: exp.Typeof) -> exp.Expression:
    """TYPEOF names the type of a variant's value; DuckDB's names the column's."""
    return call("sf_typeof", variant_of(node.this), type="text")


# Types of values as json_type() names them, by the names in AS_ and IS_.
_WHOLE, _ANY_NUMBER = ("UBIGINT", "BIGINT", "HUGEINT"), ("UBIGINT", "BIGINT", "HUGEINT", "DOUBLE")
_VALUES = {
    "INTEGER": (_WHOLE, "decimal(38, 0)"),
    "NUMBER": (_ANY_NUMBER, "decimal(38, 0)"),
    "DECIMAL": (_ANY_NUMBER, "decimal(38, 0)"),
    "DOUBLE": (_ANY_NUMBER, "double"),
    "REAL": (_ANY_NUMBER, "double"),
    "CHAR": (("VARCHAR",), "varchar"),
    "VARCHAR": (("VARCHAR",), "varchar"),
    "BOOLEAN": (("BOOLEAN",), "boolean"),
    "ARRAY": (("ARRAY",), "json"),
    "OBJECT": (("OBJECT",), "json"),
}


@rule(exp.Anonymous, exp.IsArray)
def value_types(node: exp.Expression) -> exp.Expression:
    """IS_INTEGER(v), AS_INTEGER(v) and their kin ask for the type of a variant's value; DuckDB has json_type()."""
    name = "IS_ARRAY" if isinstance(node, exp.IsArray) else node.name.upper()
    if name == "TO_OBJECT":
        return call("sf_to_object", variant_of(node.expressions[0]), type="json")
    prefix, _, type_ = name.partition("_")
    if prefix not in ("IS", "AS") or type_ not in _VALUES or node.meta.get("ours"):
        return node
    value = variant_of(node.this if isinstance(node, exp.IsArray) else node.expressions[0])
    types, target = _VALUES[type_]
    fits = exp.In(this=call("json_type", value), expressions=[literal(each) for each in types])
    if prefix == "IS":
        return fits
    return exp.Case(
        ifs=[exp.If(this=fits, true=value.copy() if target == "json" else cast(text_of(value.copy()), target))]
    )


@rule(exp.JSONKeys, exp.ObjectInsert, exp.GetIgnoreCase, exp.Anonymous)
def objects(node: exp.Expression) -> exp.Expression:
    """OBJECT_KEYS, OBJECT_INSERT, OBJECT_DELETE, OBJECT_PICK, GET_IGNORE_CASE: macros over JSON."""
    if isinstance(node, exp.JSONKeys):
        return call("to_json", call("json_keys", node.this), type="variant")
    if isinstance(node, exp.ObjectInsert):
        update = node.args.get("update_flag") or exp.false()
        return call(
            "sf_object_insert",
            node.this,
            text_of(node.args["key"]),
            variant_of(node.args["value"]),
            update,
            type="variant",
        )
    if isinstance(node, exp.GetIgnoreCase):
        return call("sf_get_ignore_case", node.this, text_of(node.expression), type="variant")
    if node.name.upper() in ("OBJECT_DELETE", "OBJECT_PICK"):
        value, *keys = node.expressions
        return call(
            "sf_" + node.name.lower(), value, call("list_value", *[text_of(key) for key in keys]), type="variant"
        )
    return node


# --- many paths of one variant

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CONDITIONAL = (exp.Case, exp.If, exp.Coalesce, exp.And, exp.Or, exp.Subquery, exp.Lambda, exp.Window, exp.AggFunc)
_MANY = 4


@rule(exp.Select)
def one_parse(node: exp.Select) -> exp.Expression:
    """Snowflake keeps a variant's members as columns; DuckDB parses the text anew for each path.

    Many paths are read from one struct, which DuckDB computes once; but a filter that it carries below the CTE that
    reads them would parse again for each of its conditions.
    """
    paths: dict[str, list[tuple[exp.JSONExtractScalar, str]]] = {}
    for item in node.expressions:
        for found in item.find_all(exp.JSONExtractScalar):
            steps: Sequence[Any] = found.expression.expressions if isinstance(found.expression, exp.JSONPath) else ()
            if (
                isinstance(found.this, exp.Column)
                and len(steps) == 2
                and isinstance(steps[1], exp.JSONPathKey)
                and _KEY.fullmatch(str(steps[1].this))
                and not isinstance(found.find_ancestor(*_CONDITIONAL, exp.Select), _CONDITIONAL)
            ):
                paths.setdefault(found.this.sql(), []).append((found, steps[1].this))
    for of_column in paths.values():
        keys = sorted({key for _, key in of_column})
        if len(keys) < _MANY or len({key.lower() for key in keys}) < len(keys):
            continue
        shape = json.dumps(dict.fromkeys(keys, "VARCHAR"))
        for found, key in of_column:
            read = call(
                "struct_extract", call("from_json", found.this.copy(), literal(shape)), literal(key), type="text"
            )
            found.replace(read)
        if isinstance(node.parent, exp.CTE):
            node.parent.set("materialized", True)
    return node


RULES = (
    casts, path, member, object_construct, object_construct_keep_null, object_of_row, to_variant, parse_json,
    comparison, comparison_with_several, extremes, order, conditions, text_arguments, concatenation, mixed_results, typeof,
    value_types, objects, one_parse,
)  # fmt: skip
