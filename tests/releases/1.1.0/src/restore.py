"""The reference tables as a run saw them, put back in one transaction. Descriptions stay with the rows that have one."""

import json

from retail_stream import configuration as settings

# What each kind of column is in a snapshot, as SQL reads it: the tables are ours, the values are binds.
_AS_SQL = {"number": "number(18, 6)", "integer": "number(18, 6)"}
_MORE = dict.fromkeys(settings.COLUMNS, ("description",)) | {"generation_parameters": ("parameter_type", "description")}


def _fill(table: str, columns: dict[str, tuple]) -> str:
    names = [*columns, *_MORE[table]]
    values = [f"value:{name}::{_AS_SQL.get(columns.get(name, ('text',))[0], 'varchar')}" for name in names]
    return f"""
insert into reference_data.{table} ({", ".join(names)})
select {", ".join(values)}
from table(flatten(input => parse_json(?)))
"""


# Binds: run.
READ_SNAPSHOT = """
select to_json(configuration_snapshot), status
from reference_data.data_generation_audit
where run_id = ? and run_type not in ('BRONZE', 'GOLD')
"""
READ_ROWS = "\nunion all\n".join(
    f"select '{table}', to_json(object_construct('key', {settings.KEYS[table]}::varchar, "
    + ", ".join(f"'{name}', {name}" for name in more)
    + f")) from reference_data.{table}"
    for table, more in (_MORE | {"generation_parameters": ("parameter_value", "parameter_type", "description")}).items()
)
EMPTY = {table: f"delete from reference_data.{table}" for table in settings.COLUMNS}
FILL = {table: _fill(table, columns) for table, columns in settings.COLUMNS.items()}


def rows_of(snapshot: dict, today: dict[str, dict[str, dict]]) -> dict[str, list[dict]]:
    """What each table is to hold: the snapshot's rows, with what today's rows of the same key say beside it.

    A parameter that the run did not know keeps today's value.
    """
    found = {}
    for table, rows in snapshot["tables"].items():
        key, kept = settings.KEYS[table], today.get(table, {})
        found[table] = [_beside(table, row, kept.get(str(row[key]), {})) for row in rows]
        if table == "generation_parameters":
            known = {row[key] for row in rows}
            found[table] += [
                {key: name, "parameter_value": row.get("parameter_value")} | _more(table, name, row)
                for name, row in kept.items()
                if name in settings.PARAMETERS and name not in known
            ]
    return found


def _beside(table: str, row: dict, kept: dict) -> dict:
    texts = {
        name: json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value for name, value in row.items()
    }
    if table == "generation_parameters":
        texts["parameter_value"] = str(texts["parameter_value"])
    return texts | _more(table, str(row[settings.KEYS[table]]), kept)


def _more(table: str, key: str, kept: dict) -> dict:
    more = {"description": kept.get("description")}
    if table == "generation_parameters":
        kind = str(settings.PARAMETERS.get(key, ("json",))[0])
        more["parameter_type"] = kept.get("parameter_type") or {"numbers": "json"}.get(kind, kind)
    return more
