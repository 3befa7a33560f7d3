"""The files that a deployment would stage, read as Snowflake would read them: manifest, setup script, Python, Streamlit."""

from __future__ import annotations

import ast
import dataclasses
import posixpath
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import sqlglot
import yaml
from local_account import manifests, scripting, signatures
from local_account.errors import SqlError
from local_account.scripting.parsing import parse as parse_block
from local_account.scripting.tree import Constant, Immediate
from local_account.syntax import PATH, strip_comments, unquote_text
from sqlglot import exp

INCLUDE = re.compile(r"execute\s+immediate\s+from\s+('(?:[^']|'')*')\s*\Z", re.IGNORECASE)
CREATE = re.compile(
    rf"create\s+(?P<how>or\s+replace\s+|or\s+alter\s+)?(?:(?:secure|transient|recursive)\s+)*"
    rf"(?P<kind>application\s+role|versioned\s+schema|(?:dynamic\s+|hybrid\s+)?table|(?:materialized\s+)?view|procedure|function|"
    rf"stream|task|stage|schema|streamlit|sequence|file\s+format|service|tag|masking\s+policy|row\s+access\s+policy)\s+"
    rf"(?P<guard>if\s+not\s+exists\s+)?(?P<name>{PATH})",
    re.IGNORECASE,
)
GRANT = re.compile(
    rf"grant\s+(?P<privileges>[\w\s,]+?)\s+on\s+(?P<all>all\s+\w+\s+in\s+)?(?P<kind>\w+(?:\s+(?:table|format|view))?)\s+"
    rf"(?P<name>{PATH})\s*(?P<types>\([^()]*(?:\([^()]*\)[^()]*)*\))?\s*to\s+application\s+role\s+(?P<role>{PATH})",
    re.IGNORECASE,
)
_CODE = re.compile(r"create\s+(?:or\s+replace\s+)?(?:secure\s+)?(?:procedure|function)\b", re.IGNORECASE)
_OPAQUE = re.compile(r"--[^\n]*|/\*[\s\S]*?\*/|('(?:[^'\\]|''|\\.)*')")


@dataclass(frozen=True)
class Statement:
    """One statement of the setup script, or of a block or body in it."""

    place: str  # file and line
    text: str  # as written, without comments
    within: str = ""  # the procedure or block it stands in; empty at the top of the script
    assembled: bool = False  # put together from literals, for EXECUTE IMMEDIATE: what was between them is `?`
    handled: bool = False  # an exception handler stands around it

    @property
    def head(self) -> str:
        return " ".join(self.text.split())[:200].lower()

    @property
    def code(self) -> str:
        """The text with the inside of its literals taken out."""
        return _OPAQUE.sub(lambda found: "''" if found[1] else " ", self.text)

    @cached_property
    def created(self) -> re.Match[str] | None:
        return CREATE.match(self.text)

    @property
    def kind(self) -> str:
        return " ".join(self.created["kind"].lower().split()) if self.created else ""

    @property
    def name(self) -> str:
        return self.created["name"].lower() if self.created else ""


@dataclass(frozen=True)
class Code:
    """A procedure or function, and the statements of its SQL body."""

    place: str
    kind: str
    name: str
    signature: signatures.Signature
    statements: list[Statement] = field(default_factory=list)

    @property
    def types(self) -> list[str]:
        key = self.signature.key("").strip("()")
        return key.split(", ") if key else []


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    is_needed: bool  # NOT NULL
    comment: str


@dataclass(frozen=True)
class Relation:
    """A table or view as the setup script leaves it on an empty account."""

    place: str
    kind: str
    name: str
    columns: dict[str, Column]
    comment: str


class Bundle:
    def __init__(self, root: Path) -> None:
        self.root = root

    @cached_property
    def files(self) -> list[str]:
        return sorted(path.relative_to(self.root).as_posix() for path in self.root.rglob("*") if path.is_file())

    def text(self, name: str) -> str:
        return (self.root / name).read_text(encoding="utf-8")

    @cached_property
    def manifest(self) -> dict[str, Any]:
        try:
            found = manifests.read(self.root)
        except (OSError, yaml.YAMLError):
            return {}
        return found if isinstance(found, dict) else {}

    # the setup script

    @cached_property
    def script(self) -> list[Statement]:
        """The statements at the top of the setup script and of the files it includes, in order."""
        start = manifests.setup_script(self.root, self.manifest)
        return list(self._read(f"/{start.relative_to(self.root).as_posix()}", ()))

    def _read(self, path: str, above: tuple[str, ...]) -> Iterator[Statement]:
        file = self.root / path.lstrip("/")
        if path in above or not file.is_file():
            return
        for statement in scripting.split(file.read_text(encoding="utf-8")):
            text = strip_comments(statement.text)
            if found := INCLUDE.match(text):
                written = unquote_text(found[1])
                base = "/" if written.startswith("/") else posixpath.dirname(path)
                yield from self._read(posixpath.normpath(posixpath.join(base, written)), (*above, path))
            else:
                yield Statement(f"{path.lstrip('/')}, line {statement.line}", text)

    @cached_property
    def code(self) -> list[Code]:
        """The procedures and functions that the script leaves behind."""
        found = {}
        for statement in self.script:
            if _CODE.match(statement.text) and statement.created:
                rest = statement.text[statement.created.end() :].lstrip().removeprefix("(")
                try:
                    signature = signatures.parse(rest, statement.name)
                except SqlError:
                    continue
                body = signature.body if signature.language == "SQL" else None
                arguments = tuple(argument["name"] for argument in signature.arguments)
                inner = list(_inside(body, arguments, statement.place, statement.name)) if body else []
                found[statement.name, signature.key("")] = Code(
                    statement.place, statement.kind, statement.name, signature, inner
                )
        return list(found.values())

    @cached_property
    def blocks(self) -> list[Statement]:
        """The statements of the blocks that stand in the script itself."""
        return [
            inner
            for statement in self.script
            if scripting.is_block(statement.text)
            for inner in _inside(statement.text, (), statement.place, "a block")
        ]

    @cached_property
    def statements(self) -> list[Statement]:
        """Every statement that the app can come to run: of the script, of its blocks and of all SQL bodies."""
        top = [statement for statement in self.script if not scripting.is_block(statement.text)]
        return top + self.blocks + [inner for code in self.code for inner in code.statements]

    @cached_property
    def schemas(self) -> dict[str, str]:
        """Schema -> "schema" or "versioned schema"."""
        return {s.name: s.kind for s in self.script if s.kind in ("schema", "versioned schema")}

    @cached_property
    def objects(self) -> dict[tuple[str, str], Statement]:
        """(kind, name) -> its last CREATE, for everything that stands in a schema and is made by the script itself."""
        return {(s.kind, s.name): s for s in self.script if "." in s.name}

    @cached_property
    def grants(self) -> list[tuple[Statement, re.Match[str]]]:
        return [(s, found) for s in self.statements if (found := GRANT.match(s.text)) and not found["all"]]

    def is_versioned(self, name: str) -> bool:
        return self.schemas.get(name.partition(".")[0]) == "versioned schema"

    @cached_property
    def relations(self) -> dict[str, Relation]:
        return {found.name: found for found in map(_relation, self.script) if found}

    @cached_property
    def tasks(self) -> dict[str, Statement]:
        return {s.name: s for s in self.statements if s.kind == "task"}

    # Python

    @cached_property
    def modules(self) -> dict[str, ast.Module]:
        """The Python files that parse, by path."""
        found = {}
        for name in self.files:
            if name.endswith(".py"):
                try:
                    found[name] = ast.parse(self.text(name), feature_version=(3, 11))
                except (SyntaxError, ValueError):  # also bytes that are no UTF-8
                    continue
        return found

    @cached_property
    def pages(self) -> dict[str, str]:
        """The directories of Streamlits: path -> name of the Streamlit, which may be a directory's main file."""
        found = {}
        for statement in self.script:
            if statement.kind == "streamlit" and (source := re.search(r"\bfrom\s+'([^']*)'", statement.text, re.I)):
                found[source[1].strip("/")] = statement.name
        return found

    @cached_property
    def shipped(self) -> dict[str, ast.Module]:
        """The modules that procedures and functions import."""
        imported = {path.lstrip("/") for code in self.code for path in code.signature.imports}
        return {name: tree for name, tree in self.modules.items() if name in imported}

    @cached_property
    def inline(self) -> dict[str, ast.Module]:
        """The Python that stands in the script itself, by the place of its CREATE."""
        found = {}
        for code in self.code:
            if code.signature.language == "PYTHON" and code.signature.body:
                with suppress(SyntaxError):
                    found[code.place] = ast.parse(code.signature.body, feature_version=(3, 11))
        return found

    @cached_property
    def packages_made(self) -> set[str]:
        """Packages that shipped code makes of the flat directory of IMPORTS: `sys.modules["name"] = ..`."""
        return {
            target.slice.value
            for tree in self.shipped.values()
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Subscript) and ast.unparse(target.value) == "sys.modules"
            if isinstance(target.slice, ast.Constant) and isinstance(target.slice.value, str)
        }

    @cached_property
    def dashboard(self) -> dict[str, ast.Module]:
        """The modules below the directories of Streamlits."""
        return {
            name: tree for name, tree in self.modules.items() if any(name.startswith(f"{page}/") for page in self.pages)
        }


def _inside(body: str, arguments: tuple[str, ...], place: str, within: str) -> Iterator[Statement]:
    """The statements of a block, in the order in which they are written, and those that it assembles from literals."""
    try:
        block = parse_block(body, arguments).block
    except SqlError:
        return
    yield from _walk(block, place, within, handled=False)


def _walk(node: Any, place: str, within: str, *, handled: bool) -> Iterator[Statement]:
    if isinstance(node, (list, tuple)):
        for part in node:
            yield from _walk(part, place, within, handled=handled)
        return
    if not dataclasses.is_dataclass(node):
        return
    template = getattr(node, "template", None)
    if template is not None:
        text = "".join(p if isinstance(p, str) else f":{getattr(p, 'name', '?').lower()}" for p in template.pieces)
        text = strip_comments(text)
        if type(node).__name__ == "Sql" or re.match(r"(?:select|with)\b", text, re.IGNORECASE):
            yield Statement(place, text, within, handled=handled)
        elif literals := _assembled(text):
            yield Statement(place, literals, within, assembled=True, handled=handled)
        return
    if isinstance(node, Immediate) and isinstance(node.text, Constant):
        yield Statement(place, strip_comments(str(node.text.value)), within, assembled=True, handled=handled)
    is_handled = handled or bool(getattr(node, "handlers", []))
    for part in dataclasses.fields(node):
        inner = is_handled if part.name in ("body", "declarations") else handled
        yield from _walk(getattr(node, part.name), place, within, handled=inner)


_PART = re.compile(r"'((?:[^'\\]|''|\\.)*)'|\|\||--[^\n]*|[^'|]+")
_STARTS = re.compile(r"\s*(?:create|alter|drop|insert|delete|update|merge|call|grant|select|use|set|execute)\b", re.I)


def _assembled(expression: str) -> str:
    """The statement that `'create task t' || ' schedule = ' || x` makes, with `?` for what is not a literal."""
    if not expression.startswith("'"):
        return ""
    made = "".join(
        found[1].replace("''", "'") if found[1] is not None else "?"
        for found in _PART.finditer(expression)
        if found[1] is not None or found[0].strip(" \n|")
    )
    return made if _STARTS.match(made) else ""


def _as_declared(kind: str) -> str:
    """sqlglot's name of a type as we write it."""
    return kind.replace("decimal", "number").replace("timestampntz", "timestamp_ntz")


def _relation(statement: Statement) -> Relation | None:
    if statement.kind not in ("table", "view") or "." not in statement.name:
        return None
    try:
        tree = sqlglot.parse_one(statement.text, dialect="snowflake")
    except sqlglot.errors.ParseError:  # the account's validation tells of it
        return None
    columns = {}
    for column in tree.find_all(exp.ColumnDef):
        comment = column.find(exp.CommentColumnConstraint)
        columns[column.name.lower()] = Column(
            column.name.lower(),
            _as_declared(column.kind.sql("snowflake").lower()) if column.kind else "",
            any(c for c in column.find_all(exp.NotNullColumnConstraint) if not c.args.get("allow_null")),
            comment.this.name if comment else "",
        )
    about = tree.find(exp.SchemaCommentProperty)
    return Relation(statement.place, statement.kind, statement.name, columns, about.this.name if about else "")
