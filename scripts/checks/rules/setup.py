"""The setup script: schemas, grants, rows, streams and transactions (developer-guide/native-apps/creating-setup-script)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from local_account import manifests

from checks.bundle import Code, Statement
from checks.rules import WARNING, Faults, Project, rule

WRITES = re.compile(r"(?:insert|merge|update|delete)\b", re.IGNORECASE)
DEFINES = re.compile(r"(?:create|alter|drop|grant|revoke|truncate|undrop)\b", re.IGNORECASE)
PATH = r"[\w$]+\.[\w$]+"


@rule("SET-18")
def what_is_code_is_granted_or_used(project: Project) -> Faults:
    bundle = project.bundle
    granted = {found["name"].lower() for _, found in bundle.grants}
    called = {str(name).lower() for _, name in manifests.callbacks(bundle.manifest)}
    texts = [(s.within, s.name, s.text.lower()) for s in bundle.statements]
    texts += [("", "", bundle.text(name).lower()) for name in bundle.files if name.endswith(".py")]
    for (kind, name), statement in bundle.objects.items():
        if bundle.is_versioned(name) and name not in granted | called:
            named = re.compile(rf"(?<![\w.]){re.escape(name)}(?!\w)")
            if not any(name not in (within, made) and named.search(text) for within, made, text in texts):
                yield statement.place, f"{kind} {name} is granted to nobody, and nothing in the app uses it"


@rule("SET-20")
def what_snowflake_calls_is_granted_to_nobody(project: Project) -> Faults:
    called = {str(name).lower(): key for key, name in manifests.callbacks(project.bundle.manifest)}
    for statement, found in project.bundle.grants:
        if key := called.get(found["name"].lower()):
            yield statement.place, f"{found['name']} is the {key}: Snowflake calls it, and no role needs to"


@rule("SET-26")
def templates_are_filled_in(project: Project) -> Faults:
    for name in project.bundle.files:
        if name.endswith((".sql", ".yml", ".py")):
            softer = (WARNING,) if name.endswith(".py") else ()  # there it may be a text like another
            if found := re.search(r"<%.*?%>|&\{.*?\}", project.bundle.text(name)):
                yield name, f"a template was not filled in: {found[0]}", *softer
            elif name.endswith(".sql") and (
                found := re.search(r"\{\{.*?\}\}|\{%.*?%\}", _outside_bodies(project.bundle.text(name)))
            ):
                yield name, f"a template was not filled in: {found[0]}"


def _outside_bodies(text: str) -> str:
    """A script without what stands between $$ and $$: Python writes {{ and }} in its f-strings."""
    return re.sub(r"\$\$[\s\S]*?\$\$", "", text)


_ADDS = re.compile(r"alter\s+table\s+(?:if\s+exists\s+)?(?P<table>[\w.]+)\s+add\s+column\s+(?P<rest>[\s\S]*)", re.I)


@rule("SET-33")
def a_default_is_a_literal(project: Project) -> Faults:
    literal = r"\bdefault\s+(?:'|[-+]?[\d.]+\b|true\b|false\b|null\b)"
    for statement in project.bundle.statements:
        found = _ADDS.match(statement.text)
        if found and re.search(r"\bdefault\b", found["rest"], re.I) and not re.search(literal, found["rest"], re.I):
            yield statement.place, "ADD COLUMN takes a literal as its DEFAULT: add the column, then UPDATE"


@rule("SET-35")
def a_column_of_an_old_table_may_be_null(project: Project) -> Faults:
    sources = _sources(project)
    for statement in project.bundle.statements:
        found = _ADDS.match(statement.text)
        if found and re.search(r"\bnot\s+null\b", found["rest"], re.I):
            if found["table"].lower() in sources:
                yield statement.place, "a stream reads the table: its columns stay nullable"
            elif not re.search(r"\bdefault\b", found["rest"], re.I):
                yield statement.place, "ADD COLUMN .. NOT NULL without DEFAULT fails on a table with rows"


@rule("SET-38")
def nothing_hangs_on_who_calls(project: Project) -> Faults:
    for statement in project.bundle.statements:
        if found := re.search(r"\bcurrent_(?:user|role|session)\b", statement.code, re.I):
            yield statement.place, f"{found[0]} may be NULL inside an app: nothing may hang on it"


@rule("SET-44")
def tags_and_policies_stay_in_their_schema(project: Project) -> Faults:
    attaches = re.compile(
        rf"alter\s+(?:table|view|schema)\s+(?P<what>[\w.]+)\s+(?:[\s\S]*?)\bset\s+(?:tag|masking\s+policy|row\s+access\s+policy)\s+(?P<tag>{PATH})",
        re.IGNORECASE,
    )
    for statement in project.bundle.statements:
        if found := attaches.match(statement.text):
            ours, tag = found["what"].lower().partition(".")[0], found["tag"].lower().partition(".")[0]
            if ours != tag and "versioned schema" in (
                project.bundle.schemas.get(ours),
                project.bundle.schemas.get(tag),
            ):
                yield (
                    statement.place,
                    f"{found['tag']} and {found['what']}: a tag or policy of a versioned schema stays within it",
                )


@rule("SCH-06")
def code_goes_with_its_version(project: Project) -> Faults:
    for code in project.bundle.code:
        if not project.bundle.is_versioned(code.name):
            yield (
                code.place,
                f"{code.kind} {code.name}: in an ordinary schema it is shared by two versions during upgrades",
            )


# streams and transactions -----------------------------------------------------------------------------------------


def _streams(project: Project) -> dict[str, str]:
    """Stream -> its table."""
    found = {}
    for statement in project.bundle.script:
        if statement.kind == "stream" and (source := re.search(r"\bon\s+table\s+([\w.]+)", statement.text, re.I)):
            found[statement.name] = source[1].lower()
    return found


def _sources(project: Project) -> set[str]:
    return set(_streams(project).values())


def _reads(statement: Statement, stream: str) -> bool:
    return bool(re.search(rf"(?<![\w.]){re.escape(stream)}(?!\w)", statement.code, re.I))


def _takes(statement: Statement, stream: str) -> bool:
    """Whether it moves the stream's offset: any DML that reads it, also one that keeps nothing."""
    return bool(WRITES.match(statement.text)) and _reads(statement, stream)


def _keeps(statement: Statement) -> bool:
    return not re.search(r"\bwhere\s+(?:false|1\s*=\s*0)\s*$", statement.code, re.I)


@rule("STR-02")
def the_table_of_a_stream_stays(project: Project) -> Faults:
    sources, numbers = _sources(project), dict[str, int]()
    for number, statement in enumerate(project.bundle.script):
        numbers.setdefault(statement.name, number)
    for stream, table in _streams(project).items():
        if numbers.get(table, -1) > numbers[stream] or table not in numbers:
            yield project.bundle.objects["stream", stream].place, f"the table {table} is not there yet"
    for statement in project.bundle.statements:
        dropped = re.match(r"drop\s+table\s+(?:if\s+exists\s+)?([\w.]+)", statement.text, re.I)
        renamed = re.match(
            r"alter\s+table\s+(?:if\s+exists\s+)?([\w.]+)\s+(?:rename\s+to|swap)\b", statement.text, re.I
        )
        replaced = statement.created if "or replace" in statement.head and statement.kind == "table" else None
        for name in (dropped and dropped[1], renamed and renamed[1], replaced and replaced["name"]):
            if name and name.lower() in sources:
                yield statement.place, f"{name}: a stream reads it, and what waits in the stream would be lost"


@rule("STR-03")
def a_stream_has_one_consumer(project: Project) -> Faults:
    for stream in _streams(project):
        takers = [c for c in project.bundle.code if any(_takes(s, stream) and _keeps(s) for s in c.statements)]
        for code in takers[1:]:
            yield (
                code.place,
                f"{code.name} takes rows of {stream}, and so does {takers[0].name}: each would miss what the other took",
            )


@rule("STR-04")
def a_stream_is_taken_by_a_statement_that_writes(project: Project) -> Faults:
    for stream in _streams(project):
        readers = [c for c in project.bundle.code if any(_reads(s, stream) for s in c.statements)]
        if readers and not any(_takes(s, stream) and _keeps(s) for c in readers for s in c.statements):
            yield readers[0].place, f"{stream} is read by SELECT only, which never moves its offset"


@rule("STR-05")
def a_stream_is_read_twice_only_in_a_transaction(project: Project) -> Faults:
    for stream in _streams(project):
        for code in project.bundle.code:
            loose = [s for s, is_within in _transactions(code) if _takes(s, stream) and not is_within]
            if len(loose) > 1:
                yield (
                    code.place,
                    f"{code.name} takes {stream} in {len(loose)} statements outside a transaction: the second finds nothing",
                )


def _transactions(code: Code) -> Iterator[tuple[Statement, bool]]:
    """Each statement, and whether a transaction is open."""
    is_within = False
    for statement in code.statements:
        if re.match(r"(?:begin|start)\s+transaction\b|begin\s*\Z", statement.text, re.I):
            is_within = True
        elif re.match(r"(?:commit|rollback)\b", statement.text, re.I):
            is_within = False
        else:
            yield statement, is_within


@rule("STR-07")
def no_definition_within_a_transaction(project: Project) -> Faults:
    for code in project.bundle.code:
        for statement, is_within in _transactions(code):
            if is_within and DEFINES.match(statement.text):
                yield code.place, f"{code.name}: '{statement.head[:40]}' commits the transaction it stands in"


@rule("STR-09")
def a_stream_outlives_a_long_stop(project: Project) -> Faults:
    for stream, table in _streams(project).items():
        created = project.bundle.objects.get(("table", table))
        days = re.search(r"\bmax_data_extension_time_in_days\s*=\s*(\d+)", created.text, re.I) if created else None
        if created and (not days or int(days[1]) < 30):
            yield (
                created.place,
                f"{stream} goes stale after 14 days without a reader: MAX_DATA_EXTENSION_TIME_IN_DAYS of 30 or more",
            )


@rule("STR-08")
def a_transaction_ends_on_both_ways_out(project: Project) -> Faults:
    for code in project.bundle.code:
        texts = [statement.text.lower() for statement in code.statements]
        starts = sum(bool(re.match(r"(?:begin|start)\s+transaction\b", text)) for text in texts)
        commits = sum(text.startswith("commit") for text in texts)
        if starts and (commits < starts or not any(text.startswith("rollback") for text in texts)):
            yield (
                code.place,
                f"{code.name}: each BEGIN TRANSACTION needs COMMIT, and ROLLBACK and RAISE in an exception handler",
                *([] if commits < starts else [WARNING]),
            )
        elif starts and not re.search(r"\brollback\s*;[\s\S]*\braise\s*;", code.signature.body or "", re.I):
            yield (
                code.place,
                f"{code.name}: after ROLLBACK the handler must RAISE, or the caller takes a failure for a success",
                WARNING,
            )
