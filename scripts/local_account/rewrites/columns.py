"""What kind of value each column of a statement holds, from the tables it reads."""

from collections.abc import Callable, Mapping

from sqlglot import exp

from local_account.errors import SqlError, compilation
from local_account.rewrites.kinds import kind

Kinds = Mapping[str, str | None]
KindsOf = Callable[[exp.Table], Kinds]

_TWICE = "twice"  # instead of a kind: the query has two columns of that name
_FLATTENED = {"SEQ": "number", "KEY": "text", "PATH": "text", "INDEX": "number", "VALUE": "variant", "THIS": "variant"}


def note_kinds(root: exp.Expression, kinds_of: KindsOf) -> None:
    """Writes into every column's `meta["kind"]` what is known of it; `kinds_of` tells the columns of a physical
    table."""
    reader = _Reader(kinds_of)
    for column in list(root.find_all(exp.Column)):
        reader.kind_of(column)
    for join in root.find_all(exp.Join):
        reader.require_using(join)
    for function in root.find_all(exp.Transform, exp.ArrayFilter):
        _note_elements(function.expression)


def _note_elements(function: exp.Lambda) -> None:
    """The elements of an array are variants; sqlglot does not know of what type a lambda's arguments are."""
    names = {_name(argument) for argument in function.expressions}
    for element in function.this.find_all(exp.Identifier):
        if _name(element) in names:
            element.type = "variant"


def _differs(name: str) -> SqlError:
    """Snowflake tells names in quotes apart by their case; DuckDB would take the one for the other."""
    return compilation(904, f"error line 1 at position 0\ninvalid identifier '{name}'")


def _name(identifier: exp.Expression) -> str:
    return identifier.name if identifier.args.get("quoted") else identifier.name.upper()


class _Reader:
    """Looks columns up from the inside out, as SQL does."""

    def __init__(self, kinds_of: KindsOf) -> None:
        self.kinds_of = kinds_of
        self.outputs: dict[int, dict[str, str | None]] = {}
        self.sources: dict[int, list[tuple[str, Kinds]]] = {}

    def kind_of(self, column: exp.Column) -> str | None:
        if "kind" not in column.meta:
            column.meta["kind"] = None  # a column that depends on itself (a recursive query) stays unknown
            column.meta["kind"] = self._found(column)
        return column.meta["kind"]

    def _found(self, column: exp.Column) -> str | None:
        if not isinstance(column.this, (exp.Identifier, exp.Star)):
            return None
        name = _name(column.this) if isinstance(column.this, exp.Identifier) else "*"
        table = column.args.get("table") and _name(column.args["table"])
        query, scope, has_variant = column.find_ancestor(exp.From, exp.Join, exp.Query), column.parent, False
        holds_table = False  # whether what should be a table's name is a column's
        limited = opaque = False  # whether a LIMIT stands between the column and its table, and tables that may have it
        while scope is not None:
            named: list[tuple[str, exp.Expression | None]] = []
            if isinstance(scope, (exp.Select, exp.Update, exp.Delete, exp.Merge)):
                for alias, kinds in self._sources(scope):
                    if table in (None, alias):
                        if name in kinds or name == "*":
                            if limited and not opaque:
                                raise compilation(2031, "Unsupported subquery type cannot be evaluated", "42601")
                            return _single(name, kinds.get(name))
                        has_variant |= name.upper() in map(str.upper, kinds)
                        opaque |= not kinds
                    else:
                        has_variant |= table.upper() == alias.upper()
                        holds_table |= table in kinds
                if isinstance(scope, exp.Select):  # a name given in the same select
                    named = [
                        (_name(item.args["alias"]), item) for item in scope.expressions if isinstance(item, exp.Alias)
                    ]
            elif isinstance(scope, exp.SetOperation):
                named = [(output, None) for output in self._outputs(scope)]
            for given, item in named if table is None and query is scope else ():
                if item is None or not _within(column, item):
                    if given == name:
                        return self._kind(item.this) if item else _single(name, self._outputs(scope)[name])
                    has_variant |= given.upper() == name.upper()
            limited |= bool(scope.args.get("limit"))
            scope = scope.parent
        if holds_table:
            raise _differs(f"{table}.{name}")
        if has_variant:
            raise _differs(name if name != "*" else table)
        if name.upper() == "ROWID" and not opaque:
            raise _differs(name)  # every table of DuckDB has one
        return None

    def require_using(self, join: exp.Join) -> None:
        for name in map(_name, join.args.get("using") or ()):
            for _, kinds in self._sources(join.parent):
                if name not in kinds and name.upper() in map(str.upper, kinds):
                    raise _differs(name)

    def _kind(self, node: exp.Expression) -> str | None:
        for column in node.find_all(exp.Column):
            self.kind_of(column)
        return kind(node)

    def _sources(self, scope: exp.Expression) -> list[tuple[str, Kinds]]:
        found = self.sources.get(id(scope))
        if found is None:
            found = self.sources[id(scope)] = []
            nodes = []
            for name in ("this", "using", "from_"):
                node = scope.args.get(name)
                nodes += (
                    [node.this if isinstance(node, exp.From) else node]
                    if isinstance(node, exp.Expression)
                    else node or []
                )
            nodes += [join.this for join in scope.args.get("joins") or ()]
            if isinstance(scope.args.get("from_"), exp.From):
                nodes += [join.this for join in scope.args["from_"].this.args.get("joins") or ()]
            nodes += scope.args.get("laterals") or ()
            for node in nodes:
                found.append((self._alias(node), self._columns(node)))
        return found

    def _alias(self, node: exp.Expression) -> str:
        alias = node.args.get("alias")
        if isinstance(alias, exp.TableAlias) and alias.this:
            return _name(alias.this)
        return _name(node.this) if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier) else ""

    def _columns(self, node: exp.Expression) -> Kinds:
        if isinstance(node, exp.Schema):
            return self._columns(node.this)
        if isinstance(node, (exp.Lateral, exp.TableFromRows)):
            return _FLATTENED if isinstance(node.this, exp.Explode) else {}
        alias = node.args.get("alias")
        names = [_name(item) for item in alias.args.get("columns") or ()] if isinstance(alias, exp.TableAlias) else []
        if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
            common = None if node.args.get("db") else self._common(node)
            kinds = self.kinds_of(node) if common is None else common
        elif isinstance(node, (exp.Subquery, exp.Lateral)):
            kinds = self._outputs(node.this)
        elif isinstance(node, exp.Values) and node.expressions:
            first = node.expressions[0]
            values = first.expressions if isinstance(first, exp.Tuple) else [first]
            # Rows may differ in their types, so only what all rows agree on is known.
            rows = [row.expressions if isinstance(row, exp.Tuple) else [row] for row in node.expressions]
            kinds = {
                f"COLUMN{index + 1}": _common_kind([kind(row[index]) for row in rows if index < len(row)])
                for index in range(len(values))
            }
        else:
            return {}
        return _named(names, kinds)

    def _common(self, table: exp.Table) -> Kinds | None:
        """The columns of a common table expression; None when the name is none."""
        name, scope = _name(table.this), table.parent
        while scope is not None:
            with_ = scope.args.get("with_")
            for cte in with_.expressions if with_ else ():
                if _name(cte.args["alias"].this) != name:
                    continue
                if not _within(table, cte):
                    kinds = self._outputs(cte.this)
                    names = [_name(item) for item in cte.args["alias"].args.get("columns") or ()]
                    return _named(names, kinds)
                if with_.args.get("recursive"):
                    return {}
            scope = scope.parent
        return None

    def _outputs(self, query: exp.Expression) -> dict[str, str | None]:
        found = self.outputs.get(id(query))
        if found is not None:
            return found
        found = self.outputs[id(query)] = {}
        if isinstance(query, exp.Subquery):
            found.update(self._outputs(query.this))
        elif isinstance(query, exp.SetOperation):
            left, right = self._outputs(query.this), self._outputs(query.expression)
            found.update(
                {
                    name: _TWICE if pair[0] == _TWICE else _common_kind(pair)
                    for name, pair in zip(left, zip(left.values(), right.values(), strict=False), strict=False)
                }
            )
        elif isinstance(query, exp.Select):
            for item in query.expressions:
                if isinstance(item, exp.Star) or (isinstance(item, exp.Column) and isinstance(item.this, exp.Star)):
                    table = (
                        item.args.get("table") and _name(item.args["table"]) if isinstance(item, exp.Column) else None
                    )
                    star = item.this if isinstance(item, exp.Column) else item
                    for alias, kinds in self._sources(query):
                        if table in (None, alias):
                            _add_star(found, star, kinds, query)
                else:
                    named = item.args["alias"] if isinstance(item, exp.Alias) else item.this
                    is_quoted = isinstance(named, exp.Identifier) and named.args.get("quoted")
                    _add(found, item.alias_or_name if is_quoted else item.alias_or_name.upper(), self._kind(item))
        return found


def _add(found: dict[str, str | None], name: str, kind: str | None) -> None:
    """The next column of a query; a second one of its name keeps a place under another."""
    if name in found:
        found[name], name = _TWICE, f"{name}\0{len(found)}"
    found[name] = kind


def _add_star(found: dict[str, str | None], star: exp.Star, kinds: Kinds, query: exp.Select) -> None:
    """The columns of one table for a `*`: without those that it excludes or that a join has merged, under their new names."""
    joins = query.args.get("joins") or ()
    merged = {_name(item) for join in joins for item in join.args.get("using") or ()}
    if any(join.text("method").upper() == "NATURAL" for join in joins):
        merged |= set(kinds)
    left_out = {_name(item) for item in star.args.get("except_") or ()}
    renamed = {_name(item.this): _name(item.args["alias"]) for item in star.args.get("rename") or ()}
    for name, kind_ in kinds.items():
        if name not in left_out and not (name in merged and name in found):
            _add(found, renamed.get(name, name), kind_)


def _named(names: list[str], kinds: Kinds) -> Kinds:
    """The columns under the names that stand after an alias, if there are any."""
    if not names:
        return kinds
    return {name: None if kind_ == _TWICE else kind_ for name, kind_ in zip(names, kinds.values(), strict=False)}


def _single(name: str, found: str | None) -> str | None:
    """Snowflake calls a column ambiguous that a sub-query has twice; DuckDB takes the first."""
    if found == _TWICE:
        raise compilation(2028, f"ambiguous column name '{name}'", "42601")
    return found


def _within(node: exp.Expression, owner: exp.Expression) -> bool:
    while node is not None:
        if node is owner:
            return True
        node = node.parent
    return False


def _common_kind(kinds) -> str | None:
    known = set(kinds)
    return known.pop() if len(known) == 1 else None
