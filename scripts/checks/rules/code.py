"""Procedures, functions and the Python behind them (developer-guide/stored-procedure, native-apps/adding-application-logic)."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import PurePosixPath
from typing import TypeVar

from local_account.rules import FORBIDDEN_FUNCTIONS

from checks.bundle import Code
from checks.rules import WARNING, Faults, Project, rule

Node = TypeVar("Node", bound=ast.stmt | ast.expr)
SHIPPED_WITH = {"snowflake-snowpark-python": {"snowflake", "cloudpickle", "yaml"}, "scikit-learn": {"sklearn"}}
SHIPPED_WITH |= {"pyyaml": {"yaml"}, "snowflake-native-apps-permission": {"snowflake"}}
LARGEST_LITERAL = 512  # values; from there on Snowpark makes a temporary table
BUILT_IN = {"_snowflake"}  # what the server itself brings


# Twenty rules look at the same trees; a tree is told from another by what it is, not by what it says.
@lru_cache(maxsize=2048)
def walk(tree: ast.AST) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(tree))


def _nodes(project: Project, kind: type[Node]) -> Iterator[tuple[str, Node]]:
    """The nodes of a kind in all Python of the app, each with its file and line."""
    for name, tree in _trees(project).items():
        for node in walk(tree):
            if isinstance(node, kind):
                yield f"{name}, line {node.lineno}", node


def _trees(project: Project) -> dict[str, ast.Module]:
    return {**project.bundle.shipped, **project.bundle.inline, **project.bundle.dashboard}


def _called(node: ast.Call) -> str:
    """`session.sql` in `session.sql(..)`; only the last name where what stands before it is no name."""
    return ast.unparse(node.func) if isinstance(node.func, (ast.Name, ast.Attribute)) else ""


def _calls(project: Project) -> Iterator[tuple[str, str, ast.Call]]:
    for place, node in _nodes(project, ast.Call):
        if called := _called(node):
            yield place, called, node


def _imports(tree: ast.AST, *, deep: bool) -> Iterator[tuple[int, str]]:
    """The modules that a tree imports; those inside functions only where it goes deep."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.lineno, node.module or ""
        if deep or not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            waiting += ast.iter_child_nodes(node)


@lru_cache(maxsize=2048)
def strings(tree: ast.AST) -> list[tuple[int, str]]:
    """The texts of a module, with `?` for what an f-string fills in; no docstrings."""
    documents = {
        id(node.body[0].value)
        for node in walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and node.body
        if isinstance(node.body[0], ast.Expr)
    }
    within = {id(part) for node in walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    hidden = documents | within
    found = []
    for node in walk(tree):
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(p.value) if isinstance(p, ast.Constant) else "?" for p in node.values)
            found.append((node.lineno, text))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in hidden:
            found.append((node.lineno, node.value))
    return found


def _texts(project: Project) -> Iterator[tuple[str, str]]:
    for name, tree in _trees(project).items():
        for line, text in strings(tree):
            yield f"{name}, line {line}", text


def _statements(project: Project) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Texts that may be SQL: place, text, and WARNING where nothing shows that this text is executed."""
    for name, tree in _trees(project).items():
        executed = _executed(tree)
        for line, text in strings(tree):
            yield f"{name}, line {line}", text, () if text in executed else (WARNING,)


@lru_cache(maxsize=2048)
def _executed(tree: ast.AST) -> frozenset[str]:
    """The texts that `session.sql(..)` and its like are given, also by the name of a variable."""
    given = [
        node.args[0]
        for node in walk(tree)
        if isinstance(node, ast.Call) and node.args and _called(node).split(".")[-1] in ("sql", "execute")
    ]
    names = {node.id for node in given if isinstance(node, ast.Name)}
    given += [
        node.value
        for node in walk(tree)
        if isinstance(node, ast.Assign) and {t.id for t in node.targets if isinstance(t, ast.Name)} & names
    ]
    return frozenset(text for node in given for _, text in strings(node))


def _python(project: Project) -> list[Code]:
    return [code for code in project.bundle.code if code.signature.language == "PYTHON"]


# versions, packages, files ----------------------------------------------------------------------------------------


@rule("PY-02")
def one_python_for_all(project: Project) -> Faults:
    versions = {code.signature.runtime for code in _python(project)}
    if len(versions) > 1:
        yield "the setup script", f"RUNTIME_VERSIONs differ: {', '.join(sorted(map(str, versions)))}"
    for name in project.bundle.files:
        if name.endswith(".py") and name not in project.bundle.modules:
            yield name, "is no Python 3.11"


@rule("PY-05")
def packages_come_from_snowflake(project: Project) -> Faults:
    for statement in project.bundle.statements:
        if re.search(r"\bartifact_repository\b", statement.code, re.I):
            yield statement.place, "ARTIFACT_REPOSITORY brings packages from elsewhere: use Snowflake's channel"


def _handler(project: Project, code: Code) -> tuple[str, ast.AST] | None:
    """The file and the function or class that HANDLER names, through one import."""
    *modules, name = (code.signature.handler or "").split(".")
    if code.signature.body:
        tree = project.bundle.inline.get(code.place)
        return _top_level(project, code, code.place, tree, name) if tree else None
    for path in code.signature.imports:
        file = path.lstrip("/")
        if modules and PurePosixPath(file).stem == modules[-1] and file in project.bundle.modules:
            return _top_level(project, code, file, project.bundle.modules[file], name)
    return None


def _top_level(project: Project, code: Code, file: str, tree: ast.Module, name: str) -> tuple[str, ast.AST] | None:
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == name:
            return file, node
        if isinstance(node, ast.ImportFrom) and name in {alias.asname or alias.name for alias in node.names}:
            stem = (node.module or "").split(".")[-1]
            for path in code.signature.imports:
                if PurePosixPath(path).stem == stem and path.lstrip("/") in project.bundle.modules:
                    return _top_level(project, code, path.lstrip("/"), project.bundle.modules[path.lstrip("/")], name)
    return None


@rule("PY-08")
def handlers_are_there(project: Project) -> Faults:
    for code in _python(project):
        if not _handler(project, code):
            says = f"{code.name}: HANDLER '{code.signature.handler}' is no function or class at the top of its code"
            yield (code.place, says, WARNING) if _may_be_bound(project, code) else (code.place, says)


def _may_be_bound(project: Project, code: Code) -> bool:
    """Whether the handler's name may come about in a way that is not followed here: by an assignment, a star, an archive, a deeper block."""
    *_, name = (code.signature.handler or "").split(".")
    files = [path.lstrip("/") for path in code.signature.imports]
    trees = [project.bundle.inline[code.place]] if code.place in project.bundle.inline else []
    trees += [project.bundle.modules[file] for file in files if file in project.bundle.modules]
    bound = {getattr(node, "name", getattr(node, "id", "")) for tree in trees for node in walk(tree)}
    bound |= {node.asname for tree in trees for node in walk(tree) if isinstance(node, ast.alias) and node.asname}
    return not trees or name in bound or "*" in bound or any(not file.endswith(".py") for file in files)


@rule("PY-09")
def handlers_take_what_they_are_given(project: Project) -> Faults:
    for code in _python(project):
        file, node = _handler(project, code) or ("", None)
        given = len(code.signature.arguments) + (code.kind == "procedure")
        if isinstance(node, ast.ClassDef):
            methods = {item.name: item for item in node.body if isinstance(item, ast.FunctionDef)}
            method, given = methods.get("process"), given + 1
            if method is None:
                method, given = methods.get("end_partition"), 2
                if method is None:
                    yield file, f"{node.name} has neither process nor end_partition"
        else:
            method = node if isinstance(node, ast.FunctionDef) else None
        # A decorator may change what is taken: a vectorised handler takes one frame (developer-guide/udf/python/udf-python-batch).
        if (
            isinstance(method, ast.FunctionDef)
            and not method.decorator_list
            and not _is_vectorised(_trees(project)[file])
        ):
            arguments = method.args
            most = len(arguments.posonlyargs) + len(arguments.args)
            if not (most - len(arguments.defaults) <= given and (given <= most or arguments.vararg)):
                yield (
                    f"{file}, line {method.lineno}",
                    f"{code.name} gives {given} values, and {method.name} takes {most}",
                )


def _is_vectorised(tree: ast.AST) -> bool:
    return any(isinstance(node, ast.Attribute) and node.attr == "_sf_vectorized_input" for node in walk(tree))


@rule("PY-10")
def everything_imported_is_there(project: Project) -> Faults:
    asked = {package.split("==")[0] for code in _python(project) for package in code.signature.packages}
    for name, tree in project.bundle.shipped.items():
        for line, module in _imports(tree, deep=True):
            if _is_missing(project, module, asked):
                yield f"{name}, line {line}", f"{module} is neither of the standard library nor in PACKAGES or IMPORTS"
    for code in _python(project):
        packages = {package.split("==")[0] for package in code.signature.packages}
        for file in _loaded(project, code):
            for line, module in _imports(project.bundle.modules[file], deep=False):
                if _is_missing(project, module, packages) and not _is_missing(project, module, asked):
                    yield (
                        f"{file}, line {line}",
                        f"{code.name} loads this file, and its PACKAGES lack {module.split('.')[0]}",
                    )


def _loaded(project: Project, code: Code) -> set[str]:
    """The files that are loaded with the handler's, by imports at the top of a module."""
    files = {PurePosixPath(path).stem: path.lstrip("/") for path in code.signature.imports}
    waiting, found = [(code.signature.handler or "").split(".")[0]], set[str]()
    while waiting:
        file = files.get(waiting.pop())
        if file and file in project.bundle.modules and file not in found:
            found.add(file)
            tree = project.bundle.modules[file]
            waiting += [module.split(".")[-1] for _, module in _imports(tree, deep=False)]
            waiting += [
                alias.name
                for node in tree.body
                if isinstance(node, ast.ImportFrom) and node.module in project.bundle.packages_made
                for alias in node.names
            ]
    return found


def _is_missing(project: Project, module: str, packages: set[str]) -> bool:
    root = module.split(".")[0]
    ours = {PurePosixPath(name).stem for name in project.bundle.shipped} | project.bundle.packages_made | BUILT_IN
    brought = packages.union(*(SHIPPED_WITH.get(package, set()) for package in packages))
    return root not in sys.stdlib_module_names | ours | {name.replace("-", "_") for name in brought}


# what procedures may not do ---------------------------------------------------------------------------------------

TEMPORARY = {"write_pandas", "cache_result", "create_or_replace_temp_view", "create_temp_table"}
CONTEXT = {"use_database", "use_schema", "use_role", "use_secondary_roles", "use_warehouse", "update_query_tag"}
CONTEXT |= {"alter_session"}
_REFUSED_SQL = re.compile(
    r"\s*(?:put\s+'?file|get\s+'?@|use\s+(?:database|schema|role|secondary|warehouse)\b|alter\s+session\b|unset\s+\w+\s*$|set\s+\w+\s*="
    r"|show\s+(?:variables|locks|transactions)\b|show\s+(?:parameters|grants)\s*$)",
    re.IGNORECASE,
)
_IS_SQL = re.compile(r"\s*(?:select|with|insert|update|delete|merge|create|alter|drop|call|grant|show|desc)\b", re.I)


@rule("PY-12")
def no_temporary_objects(project: Project) -> Faults:
    for place, called, node in _calls(project):
        if called.split(".")[-1] in TEMPORARY:
            yield place, f"{called} makes a temporary object, which apps may not have: write by INSERT .. SELECT"
        for keyword in node.keywords:
            value = keyword.value.value if isinstance(keyword.value, ast.Constant) else ""
            if keyword.arg == "table_type" and str(value).lower().startswith("temp"):
                yield place, f"{called} makes a temporary table, which apps may not have"


@rule("PY-13")
def data_frames_of_literals_are_small(project: Project) -> Faults:
    for place, called, node in _calls(project):
        if called.split(".")[-1] == "create_dataframe":
            given = node.args[0] if node.args else None
            rows = given.elts if isinstance(given, ast.List) else None
            if rows is None or sum(len(getattr(row, "elts", [row])) for row in rows) >= LARGEST_LITERAL:
                yield (
                    place,
                    "create_dataframe of 512 values or more makes a temporary table: hand over JSON as one bind",
                )


@rule("PY-14")
def tables_are_appended_to(project: Project) -> Faults:
    for place, called, node in _calls(project):
        if called.split(".")[-1] == "save_as_table":
            mode = {keyword.arg: keyword.value for keyword in node.keywords}.get("mode")
            if not (isinstance(mode, ast.Constant) and mode.value == "append"):
                yield place, "save_as_table replaces the table unless mode='append'"


@rule("PY-15")
def the_callers_context_stays(project: Project) -> Faults:
    for place, called, _ in _calls(project):
        # A Streamlit may change its warehouse (developer-guide/native-apps/adding-streamlit).
        is_page = called.endswith("use_warehouse") and place.partition(",")[0] in project.bundle.dashboard
        if called.split(".")[-1] in CONTEXT and not is_page:
            yield place, f"{called} is refused in code that runs as the app: qualify names instead"
    for place, node in _nodes(project, ast.Assign):
        if any(ast.unparse(target).endswith("session.query_tag") for target in node.targets):
            yield place, "query_tag belongs to the caller's session"


@rule("PY-16")
def no_statement_of_the_session(project: Project) -> Faults:
    for place, text, softer in _statements(project):
        found = _REFUSED_SQL.match(text)
        is_page = found and place.partition(",")[0] in project.bundle.dashboard and "warehouse" in found[0].lower()
        if found and not is_page:
            yield place, f"'{' '.join(found[0].split())}' is refused in code that runs as the app", *softer


@rule("SET-37")
def no_function_that_apps_may_not_call(project: Project) -> Faults:
    named = re.compile(rf"(?<![\w$.])({'|'.join(map(re.escape, FORBIDDEN_FUNCTIONS))})\s*\(", re.IGNORECASE)
    for place, text, softer in _statements(project):
        if _IS_SQL.match(text) and (found := named.search(text)):
            yield place, f"{found[1].upper()} is refused inside an app", *softer


@rule("SET-03")
def no_temporary_table_in_text(project: Project) -> Faults:
    for place, text, softer in _statements(project):
        if re.match(r"\s*create\s+(or\s+replace\s+)?((local|global)\s+)?(temp|temporary|volatile)\b", text, re.I):
            yield place, "apps may not have temporary objects", *softer


@rule("PY-17")
def values_are_bound(project: Project) -> Faults:
    for place, called, node in _calls(project):
        if called.split(".")[-1] == "sql" and node.args:
            text = node.args[0]
            is_made = isinstance(text, (ast.JoinedStr, ast.BinOp)) and not _is_constant(text)
            is_made |= isinstance(text, ast.Call) and _called(text).endswith((".format", ".replace"))
            if is_made:
                yield place, "SQL is put together with a value: hand it over in params"


def _is_constant(node: ast.AST) -> bool:
    if isinstance(node, ast.BinOp):
        return _is_constant(node.left) and _is_constant(node.right)
    if isinstance(node, ast.JoinedStr):
        return all(isinstance(part, ast.Constant) or _is_constant(part) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return _is_constant(node.value)
    return isinstance(node, ast.Constant) or (isinstance(node, ast.Name) and node.id.isupper())


@rule("PY-18")
def no_code_out_of_data(project: Project) -> Faults:
    names = {
        "eval",
        "exec",
        "compile",
        "__import__",
        "pickle.loads",
        "pickle.load",
        "base64.b64decode",
        "marshal.loads",
    }
    for place, called, _ in _calls(project):
        if called in names:
            yield place, f"{called} runs what the scan of Marketplace cannot read"


def _imported(project: Project, unwanted: set[str]) -> Iterator[tuple[str, str]]:
    for name, tree in _trees(project).items():
        for line, module in _imports(tree, deep=True):
            if module in unwanted or module.split(".")[0] in unwanted:
                yield f"{name}, line {line}", module


@rule("PY-19")
def no_network(project: Project) -> Faults:
    unwanted = {"requests", "urllib", "urllib3", "http", "httpx", "aiohttp", "socket", "ssl", "ftplib", "smtplib"}
    for place, module in _imported(project, unwanted | {"boto3"}):
        yield place, f"{module}: the app speaks to nobody"


@rule("PY-20")
def no_processes(project: Project) -> Faults:
    for place, module in _imported(project, {"multiprocessing", "subprocess", "pty"}):
        yield place, f"{module}: procedures cannot start processes; parallelism is the warehouse's"
    for place, called, _ in _calls(project):
        if called in {"os.fork", "os.system", "os.popen"} or called.split(".")[-1] == "ProcessPoolExecutor":
            yield place, f"{called}: procedures cannot start processes; parallelism is the warehouse's"


@rule("PY-21")
def files_are_written_below_tmp(project: Project) -> Faults:
    for place, called, node in _calls(project):
        if called == "open" and len(node.args) > 1 and re.search("[wax+]", ast.unparse(node.args[1])):
            path = node.args[0].value if isinstance(node.args[0], ast.Constant) else ""
            if not str(path).startswith("/tmp/"):
                yield place, "the sandbox can be written below /tmp only"
        elif called.split(".")[-1] in ("write_text", "write_bytes"):
            yield place, f"{called}: the sandbox can be written below /tmp only"


@rule("PY-22")
def defaults_and_overloads_exclude_each_other(project: Project) -> Faults:
    names = [code.name for code in project.bundle.code]
    for code in project.bundle.code:
        if names.count(code.name) > 1 and any(argument["default"] for argument in code.signature.arguments):
            yield code.place, f"{code.name} has a default and an overload: which one is called?"


@rule("PY-23")
def calls_fit_signatures(project: Project) -> Faults:
    takes: dict[str, list[range]] = {}
    for code in project.bundle.code:
        if code.kind == "procedure":
            needed = sum(argument["default"] is None for argument in code.signature.arguments)
            takes.setdefault(code.name, []).append(range(needed, len(code.signature.arguments) + 1))
    calls = [(s.place, s.text) for s in project.bundle.statements] + list(_texts(project))
    for place, text in calls:
        if found := re.match(r"\s*call\s+([\w.]+)\s*\(", text, re.I):
            name, given = found[1].lower(), _arguments(text[found.end() - 1 :])
            if name in takes and given is not None and not any(given in count for count in takes[name]):
                yield place, f"{name} is called with {given} values, which fits none of its signatures"
            elif "." in name and name not in takes:
                yield place, f"there is no procedure {name}"


def _arguments(text: str) -> int | None:
    """How many values stand between the parentheses that a text begins with; None where they never close."""
    depth, count, seen = 0, 0, False
    for found in re.finditer(r"'(?:[^'\\]|''|\\.)*'|[(\[{]|[)\]}]|,|[^\s(),\[\]{}']+", text):
        word = found[0]
        if word in ("(", "[", "{"):
            seen |= depth > 0
            depth += 1
        elif word in (")", "]", "}"):
            depth -= 1
            if depth == 0:
                return count + seen
        elif word == ",":
            count += depth == 1
        else:
            seen = True
    return None


@rule("PY-28")
def no_secrets(project: Project) -> Faults:
    secret = re.compile(
        r"(?:password|passwd|secret|token|api_?key|private_?key)\s*[=:]\s*['\"][^'\"?<{\s]{8,}['\"]"
        r"|-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\beyJ[\w-]{20,}\.[\w-]{20,}",
        re.IGNORECASE,
    )
    for name in project.bundle.files:
        if name.endswith((".py", ".sql", ".yml", ".toml", ".json", ".md")):
            for found in secret.finditer(project.bundle.text(name)):
                yield (
                    f"{name}, line {project.bundle.text(name)[: found.start()].count(chr(10)) + 1}",
                    "this looks like a secret",
                )


@rule("PY-29")
def no_chance_and_no_clock(project: Project) -> Faults:
    """Project's own: what a run makes follows from its arguments. The dashboard makes nothing."""
    for name, tree in project.bundle.shipped.items():
        for line, module in _imports(tree, deep=True):
            if module.split(".")[0] in {"random", "secrets", "faker"}:
                yield f"{name}, line {line}", f"{module}: chance comes from the seed"
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            called = _called(node)
            if re.search(r"\brandom\.|\bdefault_rng$|datetime\.(?:utc)?now$|date\.today$|\btime\.time$", called):
                yield f"{name}, line {node.lineno}", f"{called}: chance comes from the seed, time from the run's window"


@rule("PY-30")
def times_do_not_hang_on_the_callers_session(project: Project) -> Faults:
    loose = re.compile(
        r"\b(?:current_timestamp|getdate|localtimestamp|current_date|current_time)\b"
        r"|\b(?:try_)?to_timestamp(?:_ntz|_ltz|_tz)?\(\s*'[^']*'\s*\)|'\d{4}-[^']*'\s*::\s*timestamp",
        re.IGNORECASE,
    )
    texts = [(s.place, s.text) for s in project.bundle.statements]
    for place, text in texts + [(place, text) for place, text in _texts(project) if _IS_SQL.match(text)]:
        text = re.sub(r"--[^\n]*|\bcomment\s*=?\s*'(?:[^']|'')*'", "", text, flags=re.I)
        if found := loose.search(text):
            yield place, f"{found[0]} depends on the caller's time zone or formats: sysdate(), or a format"
